"""How a job ends or is held: every terminal transition, its charge and its event, in one place.

All functions take jobs locked (`select_for_update`) inside a transaction.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from config.rows import rows_update
from desk.entering import held_enter, held_leave
from jobs.models import Job, Picture
from jobs.outbox import WAKE_CHANNEL, dispatcher_wake
from jobs.representation import job_event_data
from jobs.states import JobStatus, PictureStatus, StageState, check_job_move
from webhooks.models import Event
from webhooks.services import events_record

_WRITTEN = ("status", "reason", "explanation", "text_verdict", "events_told")

# The job's last words, its charge, every open stage skipped, no chain sent any more; and the
# dispatcher learns of the place. What became of the pictures is read for the event.
_END = """
WITH skipped AS (
    UPDATE jobs_stagerun SET state = 'skipped', lease_expires_at = NULL, finished_at = %(at)s
    WHERE job_id = ANY(%(jobs)s) AND state IN ('waiting', 'ready', 'running')
), unsent AS (
    DELETE FROM jobs_outbox WHERE job_id = ANY(%(jobs)s)
), charged AS (
    INSERT INTO jobs_usagerecord
        (job_id, tenant_id, pictures_painted, pictures_released, created_at)
    SELECT job.id, job.tenant_id, count(picture.current_id),
           count(*) FILTER (WHERE picture.status = 'released'), %(at)s
    FROM jobs_job job LEFT JOIN jobs_picture picture ON picture.job_id = job.id
    WHERE job.id = ANY(%(jobs)s) GROUP BY job.id
)
SELECT picture.*, pg_notify(%(channel)s, '')
FROM jobs_picture picture WHERE job_id = ANY(%(jobs)s) ORDER BY job_id, index
"""
_UNDECIDED = [PictureStatus.PENDING, PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW]

_OPEN = [StageState.WAITING, StageState.READY, StageState.RUNNING]

_LEFT_OVER = {
    JobStatus.BLOCKED: PictureStatus.BLOCKED,
    JobStatus.FAILED: PictureStatus.FAILED,
    JobStatus.CANCELED: PictureStatus.WITHDRAWN,
}
"""What becomes of pictures that are undecided when their job ends."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ends, and why."""

    job: Job
    status: JobStatus
    reason: str
    explanation: str


def job_end(*, job: Job, status: JobStatus, reason: str, explanation: str) -> None:
    """End one job; as `jobs_end`."""
    jobs_end([Ending(job, status, reason, explanation)])


def jobs_end(endings: Sequence[Ending]) -> None:
    """End the jobs: status, stages, pictures, charge and event, all in this transaction.

    Raises `IllegalMove` where a job has ended already or may not end so.
    """
    if not endings:
        return
    now = timezone.now()
    for ending in endings:
        job = ending.job
        check_job_move(job.status, ending.status)
        if job.status == JobStatus.NEEDS_REVIEW:
            held_leave(job)
        job.status, job.reason = ending.status.value, ending.reason
        job.explanation, job.ended_at = ending.explanation, now
        job.events_told += 1
    jobs = [ending.job for ending in endings]
    rows_update(jobs, *_WRITTEN, "ended_at")
    for job in jobs:
        left_over = _LEFT_OVER.get(JobStatus(job.status))
        if left_over:
            job.pictures.filter(status__in=_UNDECIDED).update(status=left_over, reason=job.reason)
    pictures = Picture.objects.raw(
        _END, {"jobs": [job.id for job in jobs], "at": now, "channel": WAKE_CHANNEL}
    )
    _tell(jobs, list(pictures))


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
    _tell([job], list(job.pictures.all()))
    dispatcher_wake()


def job_settle(*, job: Job, statuses: Iterable[str]) -> None:
    """Settle one job; as `jobs_settle`."""
    jobs_settle([(job, statuses)])


def jobs_settle(settled: Iterable[tuple[Job, Iterable[str]]]) -> None:
    """Give each job the status that its pictures' statuses call for, once no stage is to run.

    `needs_review` while any picture is in review; then `succeeded` if any was released, else
    `blocked` if any was blocked, else `failed`.
    """
    endings = []
    for job, statuses in settled:
        found = set(statuses)
        if PictureStatus.IN_REVIEW not in found:
            endings.append(_ending(job, found))
        elif job.status != JobStatus.NEEDS_REVIEW:
            job_hold(
                job=job,
                reason="pictures_in_review",
                explanation="A person must look at one or more pictures.",
            )
        else:
            held_enter(job)
    jobs_end(endings)


def _ending(job: Job, statuses: Container[str]) -> Ending:
    if PictureStatus.RELEASED in statuses:
        return Ending(
            job, JobStatus.SUCCEEDED, "released",
            "Every picture was judged; the released ones can be fetched.",
        )  # fmt: skip
    if PictureStatus.BLOCKED in statuses:
        return Ending(
            job, JobStatus.BLOCKED, "pictures_blocked",
            "No picture passed scrutiny; see the decisions of the job.",
        )  # fmt: skip
    return Ending(job, JobStatus.FAILED, "no_picture", "No picture could be made.")


def scrutiny_settle(*, job: Job) -> None:
    """End a job of scrutiny alone once its last stage is done; all others stay as they are."""
    if job.scrutiny_alone and not job.stages.filter(state__in=_OPEN).exists():
        job_end(
            job=job, status=JobStatus.SUCCEEDED, reason="judged",
            explanation="Everything that was sent was judged.",
        )  # fmt: skip


def _tell(jobs: Sequence[Job], pictures: Iterable[Picture]) -> None:
    """Tell of each job; `pictures` are those of all of them."""
    of_job: dict[UUID, list[Picture]] = {job.id: [] for job in jobs}
    for picture in pictures:
        of_job[picture.job_id].append(picture)
    events_record(
        [
            Event(
                tenant_id=job.tenant_id,
                job_id=job.id,
                type=f"job.{job.status}",
                sequence=job.events_told,
                data=job_event_data(job, of_job[job.id]),
            )
            for job in jobs
        ]
    )
