"""The pictures, as a list and one by one: why each is held. Decided they are at the desk."""

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
from jobs.models import Picture
from moderation.badges import badge
from moderation.cards import picture_card, sent_cards, version_card
from moderation.queue import pictures_waiting

QUEUE = "?waiting=decision"


class QueueFilter(admin.SimpleListFilter):
    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("decision", "for a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Picture]) -> QuerySet[Picture]:
        if self.value() != "decision":
            return queryset
        return queryset.filter(pk__in=pictures_waiting().order_by().values("pk"))


@admin.register(Picture)
class PictureAdmin(ReadOnlyAdmin):
    change_form_template = "jobs/admin/picture.html"
    list_display = ("thumbnail", "shown_status", "shown_reason", "shown_prompt", "tenant", "round")
    list_display_links = ("thumbnail", "shown_prompt")
    list_filter = (QueueFilter, "status", "job__tenant")
    list_select_related = ("job__tenant", "current")
    list_per_page = 25
    search_fields = ("id__icontains", "job__id__icontains", "prompt")
    search_help_text = "an id of a picture or a job, or words of the prompt"
    ordering = ("-job_id", "index")
    fields = ()

    @admin.display(description="picture")
    def thumbnail(self, picture: Picture) -> SafeString | str:
        if picture.current_id is None:
            return "not painted"
        return format_html(
            '<img class="desk-thumbnail" loading="lazy" src="{}" alt="preview">',
            reverse("moderation:picture_preview", args=[picture.pk]),
        )

    @admin.display(description="status", ordering="status")
    def shown_status(self, picture: Picture) -> SafeString:
        return badge(picture.status)

    @admin.display(description="reason", ordering="reason")
    def shown_reason(self, picture: Picture) -> str:
        return picture.reason.replace("_", " ")

    @admin.display(description="prompt")
    def shown_prompt(self, picture: Picture) -> SafeString:
        prompt = picture.prompt or picture.job.prompt
        return format_html(
            '<span class="desk-clip">{}</span> <code class="desk-quiet">{} of job …{}</code>',
            prompt if len(prompt) <= 90 else prompt[:89] + "…",
            picture.index, str(picture.job_id)[-8:],
        )  # fmt: skip

    @admin.display(description="tenant")
    def tenant(self, picture: Picture) -> str:
        return picture.job.tenant.name

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        picture = Picture.objects.select_related(
            "current", "cleared_by__actor", "job__tenant", "job__policy_version__policy"
        ).get(pk=context["original"].pk)
        card = picture_card(picture, picture.job)
        user = request.user
        assert isinstance(user, User)  # nobody else is let into the admin
        context |= {
            "title": f"Picture {picture.index} of job …{str(picture.job_id)[-8:]}",
            "card": card,
            "job": picture.job,
            "verdict": picture.job.text_verdict or {},
            "sent": sent_cards(picture.job),
            "versions": [version_card(picture, v, picture.job) for v in picture.versions.all()],
            "decisions": picture.decisions.select_related("actor", "policy_version__policy"),
            "raw_views": picture.raw_views.select_related("user").order_by("-id")[:20],
            "waits": items_open_to(user, picture=picture),
            "can_see_raw": user.has_perm("moderation.view_raw_picture"),
        }
        return super().render_change_form(request, context, *args, **kwargs)
