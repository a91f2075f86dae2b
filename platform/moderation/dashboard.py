"""The first page of the admin: what waits for a person, what went wrong, what runs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from desk.models import ItemKind
from desk.pages import waiting_of_kind
from jobs.admin.machinery import silence
from jobs.models import Job, Worker
from jobs.states import IN_FLIGHT, JobStatus
from moderation.charts import charted
from moderation.overview import PERIODS, overview
from moderation.queue import (
    appeals_waiting,
    pictures_waiting,
    prompts_waiting,
    reports_waiting,
)


@dataclass(frozen=True, slots=True)
class Count:
    """A figure that links to its list; `alarm` where somebody should look."""

    title: str
    number: int
    url: str
    alarm: bool = False


def counts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    if not request.user.has_perm("jobs.view_job"):
        return context
    now = timezone.now()
    pictures, prompts = pictures_waiting().count(), prompts_waiting().count()
    appeals, reports = appeals_waiting().count(), reports_waiting().count()
    failed = Job.objects.filter(status=JobStatus.FAILED, ended_at__gte=now - timedelta(days=1))
    failures = failed.count()
    running = Job.objects.filter(status__in=IN_FLIGHT).count()
    ready = Worker.objects.filter(ready=True, seen_at__gte=now - silence()).count()
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in {str(period) for period in PERIODS} else PERIODS[1]
    read = overview(days)
    drifting = sum(tally.drawn.drifts or tally.read.drifts for tally in read.fairness)
    context |= {"overview": charted(read), "days": days, "periods": PERIODS}
    jobs, workers = reverse("admin:jobs_job_changelist"), reverse("admin:jobs_worker_changelist")
    context["counts"] = [
        Count(
            "pictures wait for a decision", pictures,
            reverse("admin:jobs_picture_changelist") + "?waiting=decision", pictures > 0,
        ),
        Count("prompts wait for a decision", prompts, f"{jobs}?waiting=prompt", prompts > 0),
        Count(
            "appeals wait for an answer", appeals,
            reverse("admin:moderation_appeal_changelist") + "?waiting=answer", appeals > 0,
        ),
        Count(
            "reports wait for an answer", reports,
            reverse("admin:moderation_report_changelist") + "?waiting=answer", reports > 0,
        ),
        Count("jobs queued or running", running, jobs),
        Count(
            "jobs failed in 24 hours", failures, f"{jobs}?status__exact=failed", failures > 0
        ),
        Count("workers ready", ready, workers, ready == 0),
        Count(
            "attributes drift from their target", drifting,
            f"{reverse('admin:index')}?days={days}#fairness", drifting > 0,
        ),
    ]  # fmt: skip
    return context


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: moderation first, then the tenants, then the machinery. What a person may not
    see is left out."""
    groups = [
        (
            "Moderation",
            [
                ("In review", "visibility", "jobs.picture", "?waiting=decision"),
                ("Prompts held", "chat_error", "jobs.job", "?waiting=prompt"),
                ("Appeals", "contact_support", "moderation.appeal", "?waiting=answer"),
                ("Reports", "flag", "moderation.report", "?waiting=answer"),
                ("Jobs", "work", "jobs.job", ""),
                ("Pictures", "image", "jobs.picture", ""),
                ("Decisions", "gavel", "moderation.decision", ""),
                ("Originals looked at", "policy", "moderation.rawpictureview", ""),
            ],
        ),
        (
            "Tenants",
            [
                ("Tenants", "apartment", "accounts.tenant", ""),
                ("API keys", "key", "accounts.apikey", ""),
                ("Policies", "rule", "moderation.policy", ""),
                ("Policy versions", "history", "moderation.policyversion", ""),
                ("Policy drafts", "edit_note", "policies.policydraft", ""),
                ("Policies in force", "event_available", "policies.policyassignment", ""),
                ("Policies in the shadow", "compare", "policies.policyshadow", ""),
                ("Usage", "receipt_long", "jobs.usagerecord", ""),
            ],
        ),
        (
            "Webhooks",
            [
                ("Endpoints", "webhook", "webhooks.endpoint", ""),
                ("Events", "campaign", "webhooks.event", ""),
                ("Deliveries", "outbox", "webhooks.delivery", ""),
            ],
        ),
        (
            "Machinery",
            [
                ("Workers", "memory", "jobs.worker", ""),
                ("Stages", "account_tree", "jobs.stagerun", ""),
                ("Outbox", "schedule_send", "jobs.outbox", ""),
            ],
        ),
        (
            "People",
            [
                ("Users", "person", "accounts.user", ""),
                ("Groups", "group", "auth.group", ""),
                ("What people did", "history_edu", "admin.logentry", ""),
                ("Sign-ins", "login", "axes.accesslog", ""),
                ("Failed sign-ins", "no_accounts", "axes.accessfailurelog", ""),
                ("Locked out", "lock_clock", "axes.accessattempt", ""),
            ],
        ),
    ]
    shown = [
        (title, [_item(request, *item) for item in items if _may_see(request, item[2])])
        for title, items in groups
    ]
    tenants = next(items for title, items in shown if title == "Tenants")
    if request.user.has_perm("policies.run_what_if"):
        address = reverse("policies:what_if")
        tenants.append(
            {
                "title": "What if?",
                "icon": "help_center",
                "link": address,
                "active": request.path.startswith(address),
            }
        )
    if request.user.has_perm("moderation.view_policyversion"):
        address = reverse("moderation:evaluation_runs")
        tenants.append(
            {
                "title": "Evaluations",
                "icon": "monitoring",
                "link": address,
                "active": request.path.startswith(address),
            }
        )
    if request.user.has_perm("desk.view_reviewitem"):
        address = reverse("desk:home")
        shown[0][1].insert(
            0,
            {
                "title": "Review desk",
                "icon": "task_alt",
                "link": address,
                "active": request.path.startswith(address),
            },
        )
    if request.user.has_perm("playground.add_trial"):
        address = reverse("playground:start")
        playground = {
            "title": "Playground",
            "icon": "palette",
            "link": address,
            "active": request.path.startswith(address),
        }
        shown.insert(0, ("Try", [playground]))
    return [
        {"title": title, "separator": position > 0, "items": items}
        for position, (title, items) in enumerate(shown)
        if items
    ]


_KINDS = {
    "jobs.picture": ItemKind.PICTURE,
    "jobs.job": ItemKind.PROMPT,
    "moderation.appeal": ItemKind.APPEAL,
    "moderation.report": ItemKind.REPORT,
}


def _may_see(request: HttpRequest, model: str) -> bool:
    app, name = model.split(".")
    return request.user.has_perm(f"{app}.view_{name}")


def _item(request: HttpRequest, title: str, icon: str, model: str, query: str) -> dict[str, Any]:
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    queue = request.GET.urlencode().startswith("waiting=")
    active = (
        request.get_full_path() == address + query
        if query
        else request.path.startswith(address) and not queue
    )
    item = {"title": title, "icon": icon, "link": address + query, "active": active}
    number = waiting_of_kind(_KINDS[model]) if query else "0"
    return item | ({"badge": number, "badge_variant": "warning"} if number != "0" else {})
