"""The dispatcher: admits waiting jobs in fair order, and relays the outbox to the broker.

The only place that builds a Celery canvas. A row is deleted in the transaction that sends it: a
crash before the commit sends it again, which the claims make harmless. Two
dispatchers may run (`SKIP LOCKED`). It locks jobs before anything of theirs, as every writer does.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from celery import chain, signature
from django.conf import settings
from django.db import connection, transaction

from config.celery import app
from config.rows import rows_read
from config.tracing import HEADER
from jobs.models import IN_FLIGHT_VALUES, TERMINAL_VALUES
from jobs.stages import STAGES

logger = logging.getLogger(__name__)

RELAY_BATCH = 100

# Whether there is anything to send, and anything to admit with room for it: most turns find none.
_LOOK = """
SELECT EXISTS (SELECT FROM jobs_outbox WHERE NOT admission AND available_at <= clock_timestamp()),
       EXISTS (SELECT FROM jobs_outbox WHERE admission)
       AND %(window)s > (SELECT count(*) FROM jobs_job
                         WHERE admitted_at IS NOT NULL AND status = ANY(%(in_flight)s))
"""

_CONTINUING = """
SELECT j.id FROM jobs_job j JOIN jobs_outbox o ON o.job_id = j.id
WHERE NOT o.admission AND o.available_at <= clock_timestamp()
ORDER BY o.available_at, o.job_id LIMIT %(batch)s
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

# Of locked jobs: they are admitted, their rows of the outbox go, and what is still to do is read.
_TAKE = """
WITH admitted AS (
    UPDATE jobs_job SET admitted_at = clock_timestamp()
    WHERE id = ANY(%(jobs)s) AND admitted_at IS NULL
), unsent AS (
    DELETE FROM jobs_outbox WHERE job_id = ANY(%(jobs)s)
), driven AS (
    UPDATE jobs_stagerun SET driven_at = clock_timestamp()
    WHERE job_id = ANY(%(jobs)s) AND state = 'ready'
)
SELECT s.job_id, s.id, s.stage, s.state = 'ready', s.batch_key, s.alone, j.n,
       j.traceparent
FROM jobs_stagerun s JOIN jobs_job j ON j.id = s.job_id
WHERE s.job_id = ANY(%(jobs)s) AND s.state IN ('ready', 'waiting')
  AND j.status <> ALL(%(terminal)s)
ORDER BY array_position(%(jobs)s, s.job_id), s.position
"""


def dispatch_once() -> int:
    """Relay what is available and admit what fits the window. How many chains were sent.

    Raises kombu's `OperationalError`, with nothing lost, where the broker cannot be reached.
    """
    window = settings.ENVIRONMENT.dispatch_window
    ((continuing, waiting),) = rows_read(
        lambda *found: found, _LOOK, {"in_flight": IN_FLIGHT_VALUES, "window": window}
    )
    return (_relay_continuing() if continuing else 0) + (_admit_waiting(window) if waiting else 0)


def chain_publish(links: Sequence[tuple[str, Sequence[UUID]]], traceparent: str = "") -> None:
    """Send a chain of links, each a stage's name and the stages of that name to be done, in
    order; all of them belong to the trace of `traceparent`."""
    signatures = [
        signature(
            STAGES[name].task,
            args=[[str(stage_id) for stage_id in stage_ids]],
            queue=STAGES[name].queue,
            immutable=True,
            app=app,
            headers={HEADER: traceparent},
        )
        for name, stage_ids in links
    ]
    chain(*signatures, app=app).apply_async()
    logger.debug("sent: %s of %d jobs", " > ".join(name for name, _ in links), len(links[0][1]))


def _relay_continuing() -> int:
    with transaction.atomic():
        return _send(_job_ids(_CONTINUING, {"batch": RELAY_BATCH}))


def _admit_waiting(window: int) -> int:
    with transaction.atomic():
        if not _alone():  # another dispatcher admits: two at once would overfill the window
            return 0
        return _send(_job_ids(_WAITING, {"in_flight": IN_FLIGHT_VALUES, "window": window}))


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('admission'))")
        return bool(cursor.fetchone()[0])


def _job_ids(sql: str, parameters: dict[str, Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def _send(job_ids: Sequence[UUID]) -> int:
    """Send the chains of jobs that are locked. A statement of its own, begun after the locks were
    taken: it must see what the holders of the locks have written."""
    if not job_ids:
        return 0
    open_stages = rows_read(_OpenStage, _TAKE, {"jobs": job_ids, "terminal": TERMINAL_VALUES})
    for batch in _batches([list(own) for _, own in groupby(open_stages, attrgetter("job_id"))]):
        links = zip(*batch, strict=True)
        chain_publish(
            [(link[0].name, [stage.stage_id for stage in link]) for link in links],
            batch[0][0].traceparent,  # those that go along keep theirs in their rows
        )
    return len(job_ids)


@dataclass(frozen=True, slots=True)
class _OpenStage:
    job_id: UUID
    stage_id: UUID
    name: str
    ready: bool
    batch_key: str
    alone: bool
    pictures: int
    traceparent: str


def _batches(jobs: Sequence[Sequence[_OpenStage]]) -> list[list[Sequence[_OpenStage]]]:
    """The jobs, each as its open stages in order, by chain. Together go those all of whose stages
    fit together, with no more pictures than are painted at once; in the order of the first.

    A job whose stage is not ready goes by none; one whose last attempt ended badly goes alone.
    """
    size = settings.ENVIRONMENT.generate_batch_size
    batches: list[list[Sequence[_OpenStage]]] = []
    filling: dict[object, list[Sequence[_OpenStage]]] = {}
    for stages in jobs:
        if not stages[0].ready:
            continue
        fits = all(stage.batch_key and not stage.alone for stage in stages)
        key = tuple((s.name, s.batch_key) for s in stages) if fits else stages[0].job_id
        batch = filling.get(key)
        if batch is None or sum(other[0].pictures for other in (*batch, stages)) > size:
            batch = filling[key] = []
            batches.append(batch)
        batch.append(stages)
    return batches
