"""How a job ends or is held: every terminal transition, its charge and its event, in one place.

All functions take the job locked (`select_for_update`) inside a transaction.
"""

from django.db import connection
from django.utils import timezone

from jobs.models import Job, Picture, UsageRecord
from jobs.outbox import WAKE_CHANNEL, dispatcher_wake
from jobs.representation import job_event_data
from jobs.states import JobStatus, PictureStatus, StageState, check_job_move
from webhooks.models import EventType
from webhooks.services import event_record

_WRITTEN = ["status", "reason", "explanation", "text_verdict", "events_told"]

# Every open stage is skipped, no chain is sent any more, and the dispatcher learns of the place.
_CLOSE = """
WITH skipped AS (
    UPDATE jobs_stagerun SET state = 'skipped', lease_expires_at = NULL, finished_at = %(at)s
    WHERE job_id = %(job)s AND state IN ('waiting', 'ready', 'running')
), unsent AS (
    DELETE FROM jobs_outbox WHERE job_id = %(job)s
)
SELECT pg_notify(%(channel)s, '')
"""
_UNDECIDED = [PictureStatus.PENDING, PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW]

_LEFT_OVER = {
    JobStatus.BLOCKED: PictureStatus.BLOCKED,
    JobStatus.FAILED: PictureStatus.FAILED,
    JobStatus.CANCELED: PictureStatus.WITHDRAWN,
}
"""What becomes of pictures that are undecided when their job ends."""


def job_end(*, job: Job, status: JobStatus, reason: str, explanation: str) -> None:
    """End the job: status, stages, pictures, charge and event, all in this transaction.

    Raises `IllegalMove` where the job has ended already or may not end so.
    """
    check_job_move(job.status, status)
    job.status, job.reason, job.explanation = status.value, reason, explanation
    job.ended_at = timezone.now()
    job.events_told += 1
    job.save(update_fields=[*_WRITTEN, "ended_at"])
    if status in _LEFT_OVER:
        job.pictures.filter(status__in=_UNDECIDED).update(status=_LEFT_OVER[status], reason=reason)
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, {"job": job.id, "at": job.ended_at, "channel": WAKE_CHANNEL})
    pictures = list(job.pictures.all())
    UsageRecord.objects.create(
        job=job,
        tenant_id=job.tenant_id,
        pictures_painted=sum(picture.current_id is not None for picture in pictures),
        pictures_released=sum(p.status == PictureStatus.RELEASED for p in pictures),
    )
    _tell(job, pictures)


def job_hold(*, job: Job, reason: str, explanation: str) -> None:
    """Hold the job for a person: undecided pictures go to review, no stage goes on.

    Raises `IllegalMove` where the job has ended.
    """
    check_job_move(job.status, JobStatus.NEEDS_REVIEW)
    job.status, job.reason, job.explanation = JobStatus.NEEDS_REVIEW.value, reason, explanation
    job.events_told += 1
    job.save(update_fields=_WRITTEN)
    job.pictures.filter(
        status=PictureStatus.QUARANTINED, current__isnull=False, cleared_by__isnull=True
    ).update(status=PictureStatus.IN_REVIEW, reason=reason)
    job.stages.filter(state__in=[StageState.READY, StageState.RUNNING]).update(
        state=StageState.SKIPPED, lease_expires_at=None, finished_at=timezone.now()
    )
    _tell(job, list(job.pictures.all()))
    dispatcher_wake()


def job_settle(*, job: Job) -> None:
    """Give the job the status that its pictures call for, once no stage is left to run.

    `needs_review` while any picture is in review; then `succeeded` if any was released, else
    `blocked` if any was blocked, else `failed`.
    """
    statuses = set(job.pictures.values_list("status", flat=True))
    if PictureStatus.IN_REVIEW in statuses:
        if job.status != JobStatus.NEEDS_REVIEW:
            job_hold(
                job=job,
                reason="pictures_in_review",
                explanation="A person must look at one or more pictures.",
            )
    elif PictureStatus.RELEASED in statuses:
        job_end(
            job=job, status=JobStatus.SUCCEEDED, reason="released",
            explanation="Every picture was judged; the released ones can be fetched.",
        )  # fmt: skip
    elif PictureStatus.BLOCKED in statuses:
        job_end(
            job=job, status=JobStatus.BLOCKED, reason="pictures_blocked",
            explanation="No picture passed scrutiny; see the decisions of the job.",
        )  # fmt: skip
    else:
        job_end(
            job=job, status=JobStatus.FAILED, reason="no_picture",
            explanation="No picture could be made.",
        )  # fmt: skip


def _tell(job: Job, pictures: list[Picture]) -> None:
    event_record(
        tenant_id=job.tenant_id,
        job_id=job.id,
        type=EventType(f"job.{job.status}"),
        sequence=job.events_told,
        data=job_event_data(job, pictures),
    )
