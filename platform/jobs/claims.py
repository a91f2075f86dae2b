"""A stage is held by one worker at a time: claimed, renewed, finished or failed under a guard.

Stages of several jobs are claimed by one statement and finished in one transaction. Both lock the
jobs first, so the lock order is always jobs, then stages. A claim takes a lease and raises the
fencing token; every later write of the holder names that token, so
that a holder whose lease was taken over changes nothing, however late it wakes.
"""

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from config.rows import rows_read
from jobs.exhaustion import stage_give_up
from jobs.models import Job, StageRun
from jobs.outbox import outbox_continue
from jobs.promotion import stage_promote
from jobs.stages import STAGES, Stage
from jobs.states import JobStatus, StageState, sources_of

logger = logging.getLogger(__name__)

LONGEST_DELAY_SECONDS = 60.0
OUTAGES_BORNE = 60
"""So many failures of outside systems cost a stage no attempt: about an hour of them."""


class ClaimLost(Exception):
    """The stage is no longer this holder's: its lease was taken over, or its job ended."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one stage of one job, valid while `token` is the row's.

    A `rider` was taken along: the message that is worked on does not speak of its job.
    """

    stage_id: UUID
    job_id: UUID
    stage: Stage
    round: int
    token: int
    rider: bool = False


class Onward(Enum):
    """How a job goes on after a stage."""

    NEXT = "the next stage, by the chain that is under way"
    AFRESH = "new stages were added: a new chain"
    STOP = "the job ended or is held for a person"


# (stage, status it may be claimed in, status the job then shows), from the table of moves.
_MOVES = ", ".join(
    f"('{stage.name.value}', '{source}', '{target}')"
    for stage in STAGES.values()
    for source, target in (
        [(source, stage.status.value) for source in sources_of(stage.status)]
        if stage.status
        else [(s.value, s.value) for s in (JobStatus.SCRUTINISING, JobStatus.NEEDS_REVIEW)]
    )
)

# What the message asks for, its jobs locked in one order; then what else fits and nobody holds.
# A stage whose last attempt ended badly is neither taken along nor takes others along.
_CLAIM = f"""
WITH asked AS (
    SELECT s.id AS stage_id, s.stage, s.batch_key, s.alone, j.status, j.n
    FROM jobs_stagerun s JOIN jobs_job j ON j.id = s.job_id
    WHERE s.id = ANY(%(stages)s::uuid[]) AND s.state = 'ready' AND s.ready_at <= clock_timestamp()
      AND (NOT s.alone OR cardinality(%(stages)s::uuid[]) = 1)
    ORDER BY j.id FOR UPDATE OF j
), room AS (
    SELECT min(stage) AS stage, min(batch_key) AS batch_key, %(room)s - sum(n) AS pictures
    FROM asked HAVING min(batch_key) <> '' AND NOT bool_or(alone)
), fitting AS (
    SELECT s.id AS stage_id, j.status, j.n
    FROM room
    JOIN jobs_stagerun s ON s.stage = room.stage AND s.batch_key = room.batch_key
    JOIN jobs_job j ON j.id = s.job_id
    WHERE s.id <> ALL(%(stages)s::uuid[]) AND j.admitted_at IS NOT NULL
      AND s.state = 'ready' AND s.ready_at <= clock_timestamp() AND NOT s.alone
    ORDER BY s.ready_at
    LIMIT (SELECT greatest(0, pictures) FROM room)
    FOR UPDATE OF j, s SKIP LOCKED
), held AS MATERIALIZED (
    SELECT stage_id, status, n, false AS rider FROM asked
    UNION ALL
    SELECT stage_id, status, n, true FROM (
        SELECT stage_id, status, n, sum(n) OVER (ORDER BY stage_id) AS pictures FROM fitting
    ) AS counted WHERE pictures <= (SELECT pictures FROM room)
), claimed AS (
    UPDATE jobs_stagerun s
    SET state = 'running', token = token + 1, attempts = attempts + 1, holder = %(holder)s,
        lease_expires_at = clock_timestamp() + %(lease)s, driven_at = clock_timestamp(),
        started_at = coalesce(started_at, clock_timestamp())
    FROM held, (VALUES {_MOVES}) AS move(stage, source, target)
    WHERE s.id = held.stage_id AND move.stage = s.stage AND move.source = held.status
      AND s.state = 'ready' AND s.ready_at <= clock_timestamp()
    RETURNING s.id, s.job_id, s.stage, s.round, s.token, held.rider, move.target
), moved AS (
    UPDATE jobs_job SET status = claimed.target
    FROM claimed WHERE jobs_job.id = claimed.job_id AND jobs_job.status <> claimed.target
)
SELECT id, job_id, stage, round, token, rider FROM claimed ORDER BY rider, job_id
"""

# Jobs are locked before their stages are touched, all in one order: a heartbeat renews these leases
# meanwhile. The next stage is opened only after that: `promoted` joins what `closed` has closed.
_CLOSE = """
WITH closing AS (
    SELECT * FROM unnest(
        %(jobs)s::uuid[], %(stages)s::uuid[], %(tokens)s::int[], %(promote)s::bool[]
    ) AS claim(job_id, stage_id, token, promote)
), held AS (
    SELECT * FROM jobs_job WHERE id = ANY(%(jobs)s::uuid[]) ORDER BY id FOR UPDATE
), own AS (
    SELECT s.id, closing.promote
    FROM closing JOIN held ON held.id = closing.job_id
    JOIN jobs_stagerun s ON s.id = closing.stage_id AND s.job_id = held.id
    WHERE s.token = closing.token AND s.state = 'running'
    ORDER BY s.id FOR UPDATE OF s
), closed AS (
    UPDATE jobs_stagerun s
    SET state = %(state)s, error = %(error)s, lease_expires_at = NULL,
        finished_at = clock_timestamp()
    FROM own WHERE s.id = own.id
    RETURNING s.job_id, own.promote
), promoted AS (
    UPDATE jobs_stagerun s
    SET state = 'ready', ready_at = clock_timestamp(), driven_at = clock_timestamp()
    FROM closed CROSS JOIN LATERAL (
        SELECT id FROM jobs_stagerun waiting
        WHERE waiting.job_id = closed.job_id AND waiting.state = 'waiting'
        ORDER BY position LIMIT 1
    ) AS next
    WHERE s.id = next.id AND closed.promote
)
SELECT held.* FROM held JOIN closed ON closed.job_id = held.id
"""


def _lease() -> Any:  # a timedelta; the stubs of execute() do not know that it may be one
    return timedelta(seconds=settings.ENVIRONMENT.lease_seconds)


def stages_claim(*, stage_ids: Sequence[UUID], holder: str, room: int = 0) -> list[Claim]:
    """Claim those of the stages that are to be had, and riders: other ready stages of admitted
    jobs that fit them, up to `room` pictures in all.

    Not to be had is what is finished, leased elsewhere, not yet due, behind an unfinished stage, or
    of an ended job. A stage whose last attempt ended badly is to be had by itself only.
    """
    return rows_read(
        _claim, _CLAIM, {"stages": stage_ids, "holder": holder, "lease": _lease(), "room": room}
    )


def stage_claim(*, stage_id: UUID, holder: str) -> Claim | None:
    """Claim the one stage, or return None where it is not to be had."""
    claims = stages_claim(stage_ids=[stage_id], holder=holder)
    return claims[0] if claims else None


def _claim(stage_id: UUID, job_id: UUID, stage: str, round: int, token: int, rider: bool) -> Claim:
    return Claim(stage_id, job_id, STAGES[stage], round, token, rider)


def leases_renew(claims: Iterable[Claim]) -> set[UUID]:
    """Renew the leases of `claims`; the ids of the stages that are still theirs."""
    pairs = [(claim.stage_id, claim.token) for claim in claims]
    if not pairs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (  -- in one order, so that two renewals never wait for each other
                SELECT s.id FROM jobs_stagerun s
                JOIN unnest(%s::uuid[], %s::int[]) AS claimed(id, token)
                  ON s.id = claimed.id AND s.token = claimed.token
                WHERE s.state = 'running' ORDER BY s.id FOR UPDATE OF s
            )
            UPDATE jobs_stagerun s SET lease_expires_at = clock_timestamp() + %s
            FROM held WHERE s.id = held.id RETURNING s.id
            """,
            [[stage for stage, _ in pairs], [token for _, token in pairs], _lease()],
        )
        return {row[0] for row in cursor.fetchall()}


def stages_finish(
    *,
    claims: Sequence[Claim],
    record: Callable[[Mapping[UUID, Job]], object],
    onward: Mapping[UUID, Onward] = MappingProxyType({}),
) -> bool:
    """Finish the stages of several jobs and write their results, in one transaction.

    `record` gets the jobs by id, locked, without those whose stage is no longer the holder's, and
    writes results and decisions. `onward` says how jobs go on, by id: with the next stage, where it
    says nothing. Returns whether the message that is worked on may send its next link: riders go on
    by a chain of their own, which the outbox starts.

    Raises `ClaimLost`, with nothing written, where none of the stages is the holder's any more.
    """
    ways = {claim.job_id: onward.get(claim.job_id, Onward.NEXT) for claim in claims}
    with transaction.atomic():
        promote = [job_id for job_id, way in ways.items() if way is Onward.NEXT]
        jobs = _close(claims, StageState.DONE, promote=promote)
        record(jobs)
        afresh = [job for job in jobs.values() if ways[job.id] is Onward.AFRESH]
        for job in afresh:
            stage_promote(job)
        going = [c for c in claims if c.job_id in jobs and ways[c.job_id] is Onward.NEXT]
        outbox_continue(*afresh, *(jobs[claim.job_id] for claim in going if claim.rider))
        return any(not claim.rider for claim in going)


def stage_finish(
    *, claim: Claim, record: Callable[[Job], object], onward: Onward = Onward.NEXT
) -> bool:
    """Finish one stage; as `stages_finish`."""
    return stages_finish(
        claims=[claim],
        record=lambda jobs: record(jobs[claim.job_id]),
        onward={claim.job_id: onward},
    )


def stage_fail(*, claim: Claim, error: str, transient: bool = False) -> None:
    """Record that an attempt ended badly: tried again after a doubling delay, alone, or given up.

    A `transient` failure (an outside system is away) uses up no attempt, for about an hour.
    Does nothing where the stage is no longer the holder's.
    """
    with transaction.atomic():
        try:
            job = _close([claim], StageState.FAILED, error=error)[claim.job_id]
        except ClaimLost:
            return
        attempt_close(job=job, run=job.stages.get(pk=claim.stage_id), transient=transient)


def attempt_close(*, job: Job, run: StageRun, transient: bool = False) -> None:
    """Retry a failed stage or give it up. `job` is locked, `run` is FAILED and unleased."""
    environment = settings.ENVIRONMENT
    if transient and run.outages < OUTAGES_BORNE:
        run.outages += 1
        run.attempts -= 1
        delay = environment.retry_seconds * 2 ** (run.outages - 1)
        run.alone = run.alone or run.outages > 1
    elif run.attempts < environment.stage_attempts:
        delay = environment.retry_seconds * 2 ** (run.attempts - 1)
        run.alone = True
    else:
        stage_give_up(job=job, run=run)
        return
    run.state = StageState.READY
    run.ready_at = run.driven_at = timezone.now() + timedelta(
        seconds=min(delay, LONGEST_DELAY_SECONDS)
    )
    run.save(update_fields=["state", "alone", "attempts", "outages", "ready_at", "driven_at"])
    outbox_continue(job, available_at=run.ready_at)


def _close(
    claims: Sequence[Claim],
    state: StageState,
    *,
    error: str = "",
    promote: Container[UUID] = (),
) -> dict[UUID, Job]:
    """Lock the jobs, end the leases under their tokens, and give the jobs as they now are, by id,
    without those whose stage is no longer the holder's. Jobs to `promote` have their next stage
    ready.

    Raises `ClaimLost` where none is left.
    """
    closed = Job.objects.raw(
        _CLOSE,
        {
            "jobs": [claim.job_id for claim in claims],
            "stages": [claim.stage_id for claim in claims],
            "tokens": [claim.token for claim in claims],
            "promote": [claim.job_id in promote for claim in claims],
            "state": state.value,
            "error": error,
        },
    )
    jobs = {job.id: job for job in closed}
    for claim in claims:
        if claim.job_id not in jobs:
            logger.info("stage %s is no longer held under token %s", claim.stage_id, claim.token)
    if not jobs:
        raise ClaimLost("none of the stages is held any more")
    return jobs
