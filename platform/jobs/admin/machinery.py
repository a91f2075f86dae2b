"""For operators: what runs, what waits to be sent, which workers answer, what was charged."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from config.admin import ReadOnlyAdmin
from jobs.models import Outbox, StageRun, UsageRecord, Worker
from moderation.badges import badge


@admin.register(StageRun)
class StageRunAdmin(ReadOnlyAdmin):
    list_display = (
        "stage", "round", "shown_state", "attempts", "redrives", "holder", "job_id", "started_at",
        "finished_at",
    )  # fmt: skip
    list_filter = ("state", "stage", "alone")
    search_fields = ("job__id__icontains", "holder", "error")
    ordering = ("-job_id", "position")

    @admin.display(description="state", ordering="state")
    def shown_state(self, run: StageRun) -> SafeString:
        return badge(run.state)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "shown_queues", "running", "loading", "last_seen")
    ordering = ("name",)

    @admin.display(description="state")
    def state(self, worker: Worker) -> SafeString:
        if worker.seen_at < timezone.now() - silence():
            return badge(value="failed", text="silent")
        return badge("done", "ready") if worker.ready else badge("pending", "loading")

    @admin.display(description="queues")
    def shown_queues(self, worker: Worker) -> str:
        return ", ".join(worker.queues)

    @admin.display(description="models loaded in")
    def loading(self, worker: Worker) -> SafeString | str:
        times = sorted(worker.load_seconds.items())
        return format_html_join(", ", "{} {} s", ((name, f"{s:.1f}") for name, s in times)) or "-"

    @admin.display(description="last seen", ordering="seen_at")
    def last_seen(self, worker: Worker) -> str:
        seconds = (timezone.now() - worker.seen_at).total_seconds()
        return (
            f"{max(seconds, 0):.0f} s ago" if seconds < 60 else f"{timesince(worker.seen_at)} ago"
        )


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "tenant", "priority", "admission", "available_at")
    list_filter = ("admission", "tenant")
    list_select_related = ("tenant",)
    ordering = ("available_at",)


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    list_display = ("job_id", "tenant", "pictures_painted", "pictures_released", "created_at")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    date_hierarchy = "created_at"
    ordering = ("-job_id",)


def silence() -> timedelta:
    """A worker unseen for longer is taken for gone."""
    return timedelta(seconds=3 * settings.ENVIRONMENT.heartbeat_seconds + 5)
