"""The admin of appeals: read here, answered at the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from config.admin import ReadOnlyAdmin
from desk.pages import items_open_to
from moderation.badges import badge
from moderation.models import Appeal

_BADGES = {"open": "needs_review", "accepted": "succeeded", "refused": "blocked"}


class OpenFilter(admin.SimpleListFilter):
    title = "answer"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("answer", "waiting for an answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        return queryset.filter(answer=None) if self.value() else queryset


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    """The record of appeals; of an open one the page leads to its item at the desk."""

    change_form_before_template = "moderation/appeal_waits.html"
    list_display = ("created_at", "shown_state", "tenant", "shown_job", "statement")
    list_filter = (OpenFilter,)
    list_select_related = ("tenant", "answer", "decision__picture")
    ordering = ("-id",)
    fields = ("tenant", "shown_job", "decision", "statement", "shown_state", "answer")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        assert isinstance(request.user, User)  # nobody else is let into the admin
        context["waits"] = items_open_to(request.user, appeal=context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

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
