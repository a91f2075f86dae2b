"""How a job ends or is held: every terminal transition, its charge and its event, in one place.

All functions take the job locked (`select_for_update`) inside a transaction.
"""

from collections.abc import Iterable

from django.utils import timezone

from config.rows import rows_update
from desk.entering import held_enter, held_leave
from jobs.models import Job, Picture
from jobs.outbox import WAKE_CHANNEL, dispatcher_wake
from jobs.representation import job_event_data
from jobs.states import JobStatus, PictureStatus, StageState, check_job_move
from webhooks.models import EventType
from webhooks.services import event_record

_WRITTEN = ("status", "reason", "explanation", "text_verdict", "events_told")

# The job's last words, its charge, every open stage skipped, no chain sent any more; and the
# dispatcher learns of the place. What became of the pictures is read for the event.
_END = """
WITH skipped AS (
    UPDATE jobs_stagerun SET state = 'skipped', lease_expires_at = NULL, finished_at = %(at)s
    WHERE job_id = %(job)s AND state IN ('waiting', 'ready', 'running')
), unsent AS (
    DELETE FROM jobs_outbox WHERE job_id = %(job)s
), charged AS (
    INSERT INTO jobs_usagerecord
        (job_id, tenant_id, pictures_painted, pictures_released, created_at)
    SELECT %(job)s, %(tenant)s, count(current_id), count(*) FILTER (WHERE status = 'released'),
           %(at)s
    FROM jobs_picture WHERE job_id = %(job)s
)
SELECT picture.*, pg_notify(%(channel)s, '')
FROM jobs_picture picture WHERE job_id = %(job)s ORDER BY index
"""
_UNDECIDED = [PictureStatus.PENDING, PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW]

_OPEN = [StageState.WAITING, StageState.READY, StageState.RUNNING]

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
    if job.status == JobStatus.NEEDS_REVIEW:
        held_leave(job)
    job.status, job.reason, job.explanation = status.value, reason, explanation
    job.ended_at = timezone.now()
    job.events_told += 1
    rows_update([job], *_WRITTEN, "ended_at")
    if status in _LEFT_OVER:
        job.pictures.filter(status__in=_UNDECIDED).update(status=_LEFT_OVER[status], reason=reason)
    pictures = Picture.objects.raw(
        _END,
        {"job": job.id, "tenant": job.tenant_id, "at": job.ended_at, "channel": WAKE_CHANNEL},
    )
    _tell(job, list(pictures))


def job_hold(*, job: Job, reason: str, explanation: str) -> None:
    """Hold the job for a person: undecided pictures go to review, no stage goes on.

    Raises `IllegalMove` where the job has ended.
    """
    check_job_move(job.status, JobStatus.NEEDS_REVIEW)
    job.status, job.reason, job.explanation = JobStatus.NEEDS_REVIEW.value, reason, explanation
    job.events_told += 1
    rows_update([job], *_WRITTEN)
    job.pictures.filter(
        status=PictureStatus.QUARANTINED, current__isnull=False, cleared_by__isnull=True
    ).update(status=PictureStatus.IN_REVIEW, reason=reason)
    job.stages.filter(state__in=[StageState.READY, StageState.RUNNING]).update(
        state=StageState.SKIPPED, lease_expires_at=None, finished_at=timezone.now()
    )
    held_enter(job)
    _tell(job, list(job.pictures.all()))
    dispatcher_wake()


def job_settle(*, job: Job, statuses: Iterable[str]) -> None:
    """Give the job the status that its pictures' `statuses` call for, once no stage is to run.

    `needs_review` while any picture is in review; then `succeeded` if any was released, else
    `blocked` if any was blocked, else `failed`.
    """
    statuses = set(statuses)
    if PictureStatus.IN_REVIEW in statuses:
        if job.status != JobStatus.NEEDS_REVIEW:
            job_hold(
                job=job,
                reason="pictures_in_review",
                explanation="A person must look at one or more pictures.",
            )
        else:
            held_enter(job)
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


def scrutiny_settle(*, job: Job) -> None:
    """End a job of scrutiny alone once its last stage is done; all others stay as they are."""
    if job.scrutiny_alone and not job.stages.filter(state__in=_OPEN).exists():
        job_end(
            job=job, status=JobStatus.SUCCEEDED, reason="judged",
            explanation="Everything that was sent was judged.",
        )  # fmt: skip


def _tell(job: Job, pictures: list[Picture]) -> None:
    event_record(
        tenant_id=job.tenant_id,
        job_id=job.id,
        type=EventType(f"job.{job.status}"),
        sequence=job.events_told,
        data=job_event_data(job, pictures),
    )
