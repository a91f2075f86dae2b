"""The pictures, as a queue and one by one: why each is held, and the two buttons."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.models import User
from config.admin import ReadOnlyAdmin
from jobs.models import Picture
from moderation.badges import badge
from moderation.cards import picture_card, sent_cards, version_card
from moderation.forms import VerdictForm
from moderation.models import Decision, DecisionStage
from moderation.queue import pictures_waiting
from moderation.review import NotInReview, ReviewError, picture_decide, release_undo

QUEUE = "?waiting=decision"
FREQUENT_REASONS = (
    "False alarm: nothing of the kind is shown.",
    "Shown, but within the policy.",
    "Shows what the policy refuses.",
    "Not what was asked for, and harmful.",
)


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

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(require_POST(self.decide))
        undo = self.admin_site.admin_view(require_POST(self.undo))
        return [
            path("<uuid:picture_id>/undo/", undo, name="jobs_picture_undo"),
            path("<uuid:picture_id>/decide/", decide, name="jobs_picture_decide"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        picture = Picture.objects.select_related(
            "current", "cleared_by__actor", "job__tenant", "job__policy_version__policy"
        ).get(pk=context["original"].pk)
        card = picture_card(picture, picture.job)
        user = request.user
        context |= {
            "title": f"Picture {picture.index} of job …{str(picture.job_id)[-8:]}",
            "card": card,
            "job": picture.job,
            "verdict": picture.job.text_verdict or {},
            "sent": sent_cards(picture.job),
            "versions": [version_card(picture, v, picture.job) for v in picture.versions.all()],
            "decisions": picture.decisions.select_related("actor", "policy_version__policy"),
            "raw_views": picture.raw_views.select_related("user").order_by("-id")[:20],
            "waiting": pictures_waiting().exclude(pk=picture.pk).count(),
            "picture_reasons": FREQUENT_REASONS,
            "consequence": (
                "Released, it goes out in "
                f"{settings.ENVIRONMENT.moderator_undo_seconds:g} seconds. Blocked, it stays in "
                "quarantine. Either way the next picture that waits is shown."
            ),
            "can_see_raw": user.has_perm("moderation.view_raw_picture"),
            "can_decide": user.has_perm("moderation.decide"),
            "form": VerdictForm() if card.waits else None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def decide(self, request: HttpRequest, picture_id: UUID) -> HttpResponse:
        """Release or block the picture, then on to the next that waits."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("moderation.decide"):
            raise PermissionDenied
        get_object_or_404(Picture, pk=picture_id)
        page = HttpResponseRedirect(reverse("admin:jobs_picture_change", args=[picture_id]))
        form = VerdictForm(request.POST)
        if not form.is_valid():
            messages.error(request, form.problem)
            return page
        try:
            picture_decide(picture_id=picture_id, moderator=user, **form.decision("release"))
        except NotInReview:
            messages.error(request, f"{_standing(picture_id)} Your decision was not recorded.")
            return page
        except ReviewError as error:
            messages.error(request, f"{error} Nothing was changed.")
            return page
        if form.lets_pass:
            seconds = settings.ENVIRONMENT.moderator_undo_seconds
            undo = reverse("admin:jobs_picture_change", args=[picture_id])
            messages.success(
                request,
                format_html(
                    'Released: the picture goes out in {} seconds. <a href="{}">Undo</a>',
                    f"{seconds:g}",
                    undo,
                ),
            )
        else:
            messages.success(request, "Blocked: the picture stays in quarantine.")
        return HttpResponseRedirect(_next_url(request))

    def undo(self, request: HttpRequest, picture_id: UUID) -> HttpResponse:
        """Take a release back that is not out yet."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("moderation.decide"):
            raise PermissionDenied
        get_object_or_404(Picture, pk=picture_id)
        try:
            release_undo(picture_id=picture_id, moderator=user)
        except NotInReview as error:
            messages.error(request, f"Too late: {error}.")
        else:
            messages.success(request, "Taken back: the picture waits for a decision again.")
        return HttpResponseRedirect(reverse("admin:jobs_picture_change", args=[picture_id]))


def _standing(picture_id: UUID) -> str:
    """Why the picture does not wait for a decision, in words."""
    decision = (
        Decision.objects.filter(picture=picture_id, stage=DecisionStage.REVIEW)
        .select_related("actor")
        .last()
    )
    if decision is not None:
        return (
            f"{decision.actor} decided this picture already: "
            f"{decision.action}, “{decision.explanation}”."
        )
    picture = Picture.objects.select_related("job").get(pk=picture_id)
    reason = f" ({picture.reason.replace('_', ' ')})" if picture.reason else ""
    return (
        f"This picture is not waiting for a decision: it is {picture.get_status_display().lower()}"
        f"{reason}, its job {picture.job.get_status_display().lower()}."
    )


def _next_url(request: HttpRequest) -> str:
    following = pictures_waiting().first()
    if following is None:
        messages.info(request, "No other picture waits for a decision.")
        return reverse("admin:jobs_picture_changelist") + QUEUE
    return reverse("admin:jobs_picture_change", args=[following.pk])
