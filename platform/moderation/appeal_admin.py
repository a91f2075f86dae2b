"""The admin of appeals: read, and answered once."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from config.admin import ModelAdmin
from moderation.appeals import AnsweredAlready, OwnDecision, appeal_answer
from moderation.badges import badge
from moderation.models import Appeal
from moderation.review import ReviewError

if TYPE_CHECKING:
    from django.forms import Select, Textarea
else:
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea

_BADGES = {"open": "needs_review", "accepted": "succeeded", "refused": "blocked"}


class AppealForm(forms.ModelForm):  # type: ignore[type-arg]
    accept = forms.TypedChoiceField(
        choices=[("", "—"), ("yes", "accept: the block was wrong"), ("no", "refuse")],
        coerce=lambda value: value == "yes",
        widget=Select,
    )
    explanation = forms.CharField(widget=Textarea(attrs={"rows": 4}), max_length=2000)

    class Meta:
        model = Appeal
        fields = ()


class OpenFilter(admin.SimpleListFilter):
    title = "answer"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("answer", "waiting for an answer")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(answer=None) if self.value() else queryset


@admin.register(Appeal)
class AppealAdmin(ModelAdmin):
    """Appeals are answered by who may decide; nothing else of them is edited."""

    form = AppealForm
    list_display = ("created_at", "shown_state", "tenant", "shown_job", "statement")
    list_filter = (OpenFilter,)
    list_select_related = ("tenant", "answer", "decision__picture")
    ordering = ("-id",)
    readonly_fields = ("tenant", "shown_job", "decision", "statement", "shown_state", "answer")

    def get_fields(self, request: HttpRequest, obj: Appeal | None = None) -> Any:
        answering = obj is not None and self.has_change_permission(request, obj)
        return (*self.readonly_fields, *(("accept", "explanation") if answering else ()))

    def save_model(self, request: HttpRequest, obj: Appeal, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)  # nobody else is let into the admin
        try:
            appeal_answer(
                appeal_id=obj.pk,
                moderator=request.user,
                accept=form.cleaned_data["accept"],
                explanation=form.cleaned_data["explanation"],
            )
        except AnsweredAlready:
            messages.error(request, "Somebody else answered this appeal meanwhile.")
        except ReviewError as error:
            messages.error(request, str(error))
        except OwnDecision:
            messages.error(request, "You made this decision: somebody else answers the appeal.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Appeal | None = None) -> bool:
        return request.user.has_perm("moderation.decide") and (obj is None or not obj.answer_id)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="state")
    def shown_state(self, appeal: Appeal) -> SafeString:
        return badge(_BADGES[appeal.state], appeal.state)

    @admin.display(description="job")
    def shown_job(self, appeal: Appeal) -> SafeString:
        picture = appeal.decision.picture
        return format_html(
            '<a href="{}"><code>…{}</code></a>{}',
            reverse("admin:jobs_job_change", args=[appeal.job_id]),
            str(appeal.job_id)[-8:],
            f", picture {picture.index}" if picture else "",
        )
