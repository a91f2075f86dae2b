"""The dispatcher: admits waiting jobs in fair order, and relays the outbox to the broker.

The only place that builds a Celery canvas. A row is sent before it is deleted, in one
transaction: a crash between the two sends it again, which the claims make harmless. Two
dispatchers may run (`SKIP LOCKED`). It locks jobs before anything of theirs, as every writer does.
"""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import chain, signature
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from config.celery import app
from jobs.models import Job, Outbox, StageRun
from jobs.stages import STAGES
from jobs.states import IN_FLIGHT, TERMINAL, StageState

logger = logging.getLogger(__name__)

RELAY_BATCH = 100
IN_FLIGHT_VALUES = sorted(IN_FLIGHT)

_CONTINUING = """
SELECT j.id FROM jobs_job j JOIN jobs_outbox o ON o.job_id = j.id
WHERE NOT o.admission AND o.available_at <= clock_timestamp()
ORDER BY o.available_at LIMIT %(batch)s
FOR UPDATE OF j SKIP LOCKED
"""

# Round-robin by tenant, counting what each has in flight; then priority, then age.
_WAITING = """
WITH in_flight AS (
    SELECT tenant_id, count(*) AS jobs FROM jobs_job
    WHERE admitted_at IS NOT NULL AND status = ANY(%(in_flight)s) GROUP BY tenant_id
), turns AS (
    SELECT waiting.job_id, waiting.priority,
           coalesce(in_flight.jobs, 0) + waiting.place AS turn
    FROM accounts_tenant t
    LEFT JOIN in_flight ON in_flight.tenant_id = t.id
    CROSS JOIN LATERAL (
        SELECT job_id, priority, row_number() OVER (ORDER BY priority DESC, job_id) AS place
        FROM (SELECT job_id, priority FROM jobs_outbox
              WHERE tenant_id = t.id AND admission
              ORDER BY priority DESC, job_id LIMIT %(window)s) AS first
    ) AS waiting
)
SELECT j.id FROM jobs_job j JOIN turns ON turns.job_id = j.id
ORDER BY turns.turn, turns.priority DESC, j.id
LIMIT greatest(0, %(window)s - (SELECT coalesce(sum(jobs), 0) FROM in_flight)::int)
FOR UPDATE OF j SKIP LOCKED
"""


def dispatch_once() -> int:
    """Relay what is available and admit what fits the window. How many chains were sent.

    Raises kombu's `OperationalError`, with nothing lost, where the broker cannot be reached.
    """
    return _relay_continuing() + _admit_waiting()


def chain_publish(job_id: UUID, stage_ids: Sequence[tuple[UUID, str]]) -> None:
    """Send a chain of the stages, each `(stage id, stage name)`, in order."""
    links = [
        signature(
            STAGES[name].task,
            args=[str(stage_id)],
            queue=STAGES[name].queue,
            immutable=True,
            app=app,
        )
        for stage_id, name in stage_ids
    ]
    chain(*links, app=app).apply_async()
    logger.debug("job %s: %s sent", job_id, " > ".join(name for _, name in stage_ids))


def _relay_continuing() -> int:
    with transaction.atomic():
        return _send(_job_ids(_CONTINUING, {"batch": RELAY_BATCH}))


def _admit_waiting() -> int:
    window = settings.ENVIRONMENT.dispatch_window
    with transaction.atomic():
        if not _alone():  # another dispatcher admits: two at once would overfill the window
            return 0
        job_ids = _job_ids(_WAITING, {"in_flight": IN_FLIGHT_VALUES, "window": window})
        if job_ids:
            Job.objects.filter(pk__in=job_ids, admitted_at=None).update(admitted_at=Now())
        return _send(job_ids)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('admission'))")
        return bool(cursor.fetchone()[0])


def _job_ids(sql: str, parameters: dict[str, Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def _send(job_ids: Sequence[UUID]) -> int:
    if not job_ids:
        return 0
    open_stages = (
        StageRun.objects.filter(job__in=job_ids, state__in=[StageState.READY, StageState.WAITING])
        .exclude(job__status__in=TERMINAL)
        .order_by("position")
        .values_list("job_id", "id", "stage", "state")
    )
    by_job: dict[UUID, list[tuple[UUID, str]]] = {job_id: [] for job_id in job_ids}
    ready: set[UUID] = set()
    for job_id, stage_id, name, state in open_stages:
        by_job[job_id].append((stage_id, name))
        if state == StageState.READY:
            ready.add(stage_id)
    StageRun.objects.filter(pk__in=ready).update(driven_at=Now())
    Outbox.objects.filter(job__in=job_ids).delete()
    for job_id, stages in by_job.items():
        if stages and stages[0][0] in ready:
            chain_publish(job_id, stages)
    return len(job_ids)
