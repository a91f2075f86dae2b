"""What brings back stages whose worker died or whose message was lost, and ends what is too late.

Run by the dispatcher, which needs neither broker nor worker for it. Never touches jobs that
still wait for admission: a long backlog is not a loss.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from desk.choosing import choices_settle
from jobs.claims import attempt_close
from jobs.ending import job_end
from jobs.models import Job, StageRun
from jobs.outbox import outbox_continue
from jobs.states import TERMINAL, JobStatus, StageState

logger = logging.getLogger(__name__)

BATCH = 200

# Ready, long silent and not waiting in the outbox; the delay doubles with every re-drive.
_SILENT = """
SELECT s.job_id FROM jobs_stagerun s JOIN jobs_job j ON j.id = s.job_id
WHERE s.state = 'ready' AND j.admitted_at IS NOT NULL AND s.driven_at IS NOT NULL
  AND s.driven_at + make_interval(secs => %(silent)s * 2 ^ least(s.redrives, 6)) < clock_timestamp()
  AND NOT EXISTS (SELECT 1 FROM jobs_outbox o WHERE o.job_id = s.job_id)
LIMIT %(batch)s
"""


def reconcile() -> None:
    """Take back expired leases, re-drive silent stages, cancel what is past its deadline, carry
    out what was chosen at the desk."""
    leases_expire()
    stages_redrive()
    late_cancel()
    choices_settle()


def leases_expire() -> int:
    """End every expired lease as a failed attempt. How many there were."""
    expired = StageRun.objects.filter(
        state=StageState.RUNNING, lease_expires_at__lt=Now()
    ).values_list("id", "job_id")[:BATCH]
    return sum(_each(_lease_expire, list(expired)))


def _lease_expire(stage_id: UUID, job_id: UUID) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        closed = StageRun.objects.filter(
            pk=stage_id, state=StageState.RUNNING, lease_expires_at__lt=Now()
        ).update(
            state=StageState.FAILED,
            lease_expires_at=None,
            finished_at=Now(),
            error="The worker that held this stage fell silent.",
        )
        if closed:
            run = job.stages.get(pk=stage_id)
            logger.warning("job %s: %s lost its worker %s", job.id, run.stage, run.holder)
            attempt_close(job=job, run=run)
        return bool(closed)


def stages_redrive() -> int:
    """Send a new chain for every stage that has been silent too long. How many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SILENT,
            {"silent": settings.ENVIRONMENT.silent_seconds, "batch": BATCH},
        )
        job_ids = [row[0] for row in cursor.fetchall()]
    return sum(_each(_stage_redrive, [(job_id,) for job_id in job_ids]))


def _stage_redrive(job_id: UUID) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        run = job.stages.filter(state=StageState.READY).first()
        if run is None:
            return False
        run.redrives += 1
        run.save(update_fields=["redrives"])
        outbox_continue(job)
        logger.warning("job %s: %s was silent and is sent again", job_id, run.stage)
        return True


def late_cancel() -> int:
    """Cancel the jobs that have not ended in time (`Cancel-After`). How many there were."""
    late = Job.objects.filter(ended_at=None, cancel_at__lte=Now()).values_list("id")[:BATCH]
    return sum(_each(_late_cancel, list(late)))


def _late_cancel(job_id: UUID) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if JobStatus(job.status) in TERMINAL:
            return False
        job_end(
            job=job,
            status=JobStatus.CANCELED,
            reason="deadline_passed",
            explanation="It had not ended at the time set by Cancel-After.",
        )
        return True


def _each(repair: Callable[..., bool], subjects: Sequence[tuple[UUID, ...]]) -> Iterator[bool]:
    """Repair one after the other; what one of them breaks on is logged and stops nobody else."""
    for subject in subjects:
        try:
            yield repair(*subject)
        except OperationalError:
            raise
        except Exception:
            logger.exception("could not repair %s", subject)
