"""A job's page reads as its story; nothing on it is edited. It can be canceled; what waits for a
person is decided at the desk."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST

from accounts.models import User
from config.admin import ReadOnlyAdmin
from desk.pages import items_open_to
from jobs.admin.story import story_of
from jobs.models import Job
from jobs.services import job_cancel
from jobs.states import TERMINAL, JobStatus, PictureStatus
from moderation.badges import badge
from moderation.cards import picture_card, sent_cards
from moderation.queue import prompts_waiting
from webhooks.models import Event


class PromptQueueFilter(admin.SimpleListFilter):
    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("prompt", "for a decision on its prompt")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() != "prompt":
            return queryset
        return queryset.filter(pk__in=prompts_waiting().order_by().values("pk"))


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    change_form_template = "jobs/admin/job.html"
    list_display = (
        "shown_id",
        "tenant",
        "shown_status",
        "labels",
        "shown_reason",
        "n",
        "submitted",
    )
    list_display_links = ("shown_id",)
    list_filter = ("status", PromptQueueFilter, "tenant", "model")
    list_select_related = ("tenant",)
    search_fields = ("id__icontains", "prompt")
    search_help_text = "a job's id or a part of it, or words of its prompt"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    fields = ()

    @admin.display(description="job", ordering="id")
    def shown_id(self, job: Job) -> SafeString:
        prompt = job.prompt if len(job.prompt) <= 60 else job.prompt[:59] + "…"
        return format_html(
            '<code title="{}">…{}</code> <span class="desk-quiet">{}</span>',
            job.id, str(job.id)[-8:], prompt,
        )  # fmt: skip

    @admin.display(description="status", ordering="status")
    def shown_status(self, job: Job) -> SafeString:
        return badge(job.status)

    @admin.display(description="labels")
    def labels(self, job: Job) -> SafeString:
        labels = sorted((job.text_verdict or {}).get("labels", []), reverse=True)
        return mark_safe(" ".join(badge(label) for label in labels))  # noqa: S308

    @admin.display(description="reason", ordering="reason")
    def shown_reason(self, job: Job) -> str:
        return job.reason.replace("_", " ")

    @admin.display(description="submitted", ordering="id")
    def submitted(self, job: Job) -> SafeString:
        return format_html(
            '<span class="desk-nowrap">{}</span>',
            date_format(localtime(job.created_at), "Y-m-d H:i:s"),
        )

    def get_urls(self) -> list[URLPattern]:
        def post(view: Any) -> Any:
            return self.admin_site.admin_view(require_POST(view))

        return [
            path("<uuid:job_id>/cancel/", post(self.cancel), name="jobs_job_cancel"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context["original"]
        job = Job.objects.select_related("tenant", "policy_version__policy", "api_key").get(
            pk=shown.pk
        )
        pictures = list(job.pictures.select_related("current"))
        user = request.user
        assert isinstance(user, User)  # nobody else is let into the admin
        context |= {
            "title": f"Job …{str(job.id)[-8:]}",
            "job": job,
            "verdict": job.text_verdict or {},
            "cards": [picture_card(picture, job) for picture in pictures],
            "sent": sent_cards(job),
            "can_see_raw": user.has_perm("moderation.view_raw_picture"),
            "stages": job.stages.all(),
            "story": story_of(job),
            "out": sum(picture.status == PictureStatus.RELEASED for picture in pictures),
            "events": _events(job),
            "usage": getattr(job, "usage", None),
            "can_cancel": job.status not in TERMINAL and user.has_perm("jobs.change_job"),
            "waits": items_open_to(user, job=job),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def cancel(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Cancel the job; one that has ended stays as it is."""
        if not request.user.has_perm("jobs.change_job"):
            raise PermissionDenied
        before = get_object_or_404(Job, pk=job_id).status
        job = job_cancel(job_id=job_id)
        if before not in TERMINAL and job.status == JobStatus.CANCELED:
            self.log_change(request, job, "Canceled.")
            messages.success(request, "The job is canceled.")
        else:
            messages.warning(request, f"The job had ended already: it is {job.status}.")
        return _to_page(job_id)


def _events(job: Job) -> QuerySet[Event]:
    return job.events.order_by("sequence").prefetch_related(
        Prefetch("deliveries"), "deliveries__endpoint"
    )


def _to_page(job_id: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job_id]))
