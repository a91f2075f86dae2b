"""One row of every model that the admin shows: every page of it has something to show."""

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone

from accounts.models import Scope, Tenant, User
from accounts.services import api_key_create
from accounts.two_factor import log as two_factor_log
from desk.models import Choice, ReviewerSettings, TenantWeight
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from factories import make_job
from jobs.models import Job, Outbox, UsageRecord, Worker
from jobs.storage import sent_put
from moderation.appeals import appeals_open
from moderation.models import PolicyEvaluation, RawPictureView, ReportReason
from moderation.reports import report_open
from policies.assignments import assignment_make
from policies.drafts import draft_make
from policies.shadow import shadow_start
from review_cases import judged_job
from sent_pictures import harmless
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus


def delivered(tenant: Tenant, job: Job) -> Delivery:
    """A delivery of the job's first event that failed once."""
    endpoint = endpoint_create(tenant_id=tenant.id, url="https://example.org/hook")
    event = job.events.first()
    assert event
    delivery = Delivery.objects.create(
        event=event, endpoint=endpoint, status=DeliveryStatus.FAILED, attempts=1
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, started_at=timezone.now(), duration=timedelta(seconds=1),
        status_code=500,
    )  # fmt: skip
    return delivery


def log_of(user: User) -> LogEntry:
    """A line that says that this person did something."""
    two_factor_log(user=user, by=user, message="Something was done.")
    return LogEntry.objects.get(user=user)


def row_of_every_model(boss: User) -> dict[type[models.Model], models.Model]:
    """One row of every registered model, in jobs of every kind."""
    job = judged_job(PictureAction.REVIEW, PictureAction.RELEASE, PictureAction.BLOCK)
    released = judged_job(PictureAction.RELEASE)
    key, _ = api_key_create(tenant=job.tenant, name="k", scopes=[Scope.JOBS_READ])
    picture = job.pictures.select_related("current").get(index=0)
    assert picture.current
    waiting = make_job()
    # The page of a job that also shows what was sent with it.
    stored = sent_put(job_id=job.id, index=0, content=harmless())
    job.sent.create(index=0, key=stored.key, sha256=stored.sha256, size=stored.size)
    rows: list[models.Model] = [
        boss, Group.objects.create(name=f"g-{job.id}"), job.tenant, key, job, picture,
        job.stages.all()[0], Outbox.objects.get(job=waiting), UsageRecord.objects.get(job=released),
        job.decisions.all()[0], job.policy_version, job.policy_version.policy,
        Worker.objects.create(
            name=f"w-{job.id}", queues=["generate"], load_seconds={"sd": 3.2},
            seen_at=timezone.now(),
        ),
        RawPictureView.objects.create(
            picture=picture, user=boss, object_digest=picture.current.sha256
        ),
        PolicyEvaluation.objects.create(
            policy_version=job.policy_version, run="first", sha256="0" * 64, report={"tables": {}},
            attached_by=boss,
        ),
    ]  # fmt: skip
    draft = draft_make(
        policy=job.policy_version.policy, document=Policy(), note="calmer", author=boss
    )
    rows += [
        draft,
        shadow_start(draft=draft, started_by=boss, tenant=None),
        assignment_make(tenant=job.tenant, version=job.policy_version, made_by=boss),
    ]
    delivery = delivered(job.tenant, job)
    rows += [delivery, delivery.event, delivery.endpoint]
    rows += appeals_open(job_id=job.id, statement="It is a museum piece.")
    rows += [
        AccessAttempt.objects.create(username=boss.username, failures_since_start=1),
        AccessFailureLog.objects.create(username=boss.username),
        AccessLog.objects.create(username=boss.username),
        log_of(boss),
    ]
    out = released.pictures.get()
    rows.append(report_open(picture_id=out.id, reason=ReportReason.HATE)[0])
    rows += [
        job.review_items.all()[0], TenantWeight.objects.create(tenant=job.tenant, minutes=5),
        ReviewerSettings.objects.create(user=boss, left_out=["nude"]),
        Choice.objects.create(
            item=job.review_items.all()[0], user=boss, verdict="block", seconds=12.5
        ),
    ]  # fmt: skip
    return {type(row): row for row in rows}
