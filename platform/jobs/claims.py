"""A stage is held by one worker at a time: claimed, renewed, finished or failed under a guard.

A claim is one UPDATE that also locks the job, so the lock order is always job, then stages. It
takes a lease and raises the fencing token; every later write of the holder names that token, so
that a holder whose lease was taken over changes nothing, however late it wakes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from jobs.exhaustion import stage_give_up
from jobs.models import Job, StageRun
from jobs.outbox import outbox_continue
from jobs.promotion import stage_promote
from jobs.stages import STAGES, Stage
from jobs.states import JobStatus, StageState, sources_of

LONGEST_DELAY_SECONDS = 60.0
OUTAGES_BORNE = 60
"""So many failures of outside systems cost a stage no attempt: about an hour of them."""


class ClaimLost(Exception):
    """The stage is no longer this holder's: its lease was taken over, or its job ended."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one stage of one job, valid while `token` is the row's."""

    stage_id: UUID
    job_id: UUID
    stage: Stage
    round: int
    token: int
    batch_key: str
    alone: bool
    pictures: int


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

_UPDATE = f"""
claimed AS (
    UPDATE jobs_stagerun s
    SET state = 'running', token = token + 1, attempts = attempts + 1, holder = %(holder)s,
        lease_expires_at = clock_timestamp() + %(lease)s, driven_at = clock_timestamp(),
        started_at = coalesce(started_at, clock_timestamp())
    FROM held, (VALUES {_MOVES}) AS move(stage, source, target)
    WHERE s.id = held.stage_id AND move.stage = s.stage AND move.source = held.status
      AND s.state = 'ready' AND s.ready_at <= clock_timestamp()
    RETURNING s.id, s.job_id, s.stage, s.round, s.token, s.batch_key, s.alone, held.n, move.target
), moved AS (
    UPDATE jobs_job SET status = claimed.target
    FROM claimed WHERE jobs_job.id = claimed.job_id AND jobs_job.status <> claimed.target
)
SELECT id, job_id, stage, round, token, batch_key, alone, n FROM claimed
"""

_CLAIM = f"""
WITH held AS (
    SELECT %(stage_id)s::uuid AS stage_id, status, n FROM jobs_job
    WHERE id = (SELECT job_id FROM jobs_stagerun WHERE id = %(stage_id)s)
    FOR UPDATE
), {_UPDATE}"""

_CLAIM_RIDERS = f"""
WITH fitting AS (
    SELECT s.id AS stage_id, j.status, j.n
    FROM jobs_stagerun s JOIN jobs_job j ON j.id = s.job_id
    WHERE s.stage = %(stage)s AND s.batch_key = %(batch_key)s
      AND s.state = 'ready' AND s.ready_at <= clock_timestamp() AND NOT s.alone
      AND j.admitted_at IS NOT NULL
    ORDER BY s.ready_at
    LIMIT %(room)s
    FOR UPDATE OF j, s SKIP LOCKED
), held AS (
    SELECT stage_id, status, n FROM (
        SELECT stage_id, status, n, sum(n) OVER (ORDER BY stage_id) AS pictures FROM fitting
    ) AS counted WHERE pictures <= %(room)s
), {_UPDATE}"""

# The job is locked before its stage is touched: `closed` joins what `held` has locked. The next
# stage is opened only after that: `promoted` joins what `closed` has closed.
_CLOSE = """
WITH held AS (
    SELECT * FROM jobs_job WHERE id = %(job_id)s FOR UPDATE
), closed AS (
    UPDATE jobs_stagerun s
    SET state = %(state)s, error = %(error)s, lease_expires_at = NULL,
        finished_at = clock_timestamp()
    FROM held
    WHERE s.id = %(stage_id)s AND s.job_id = held.id AND s.token = %(token)s
      AND s.state = 'running'
    RETURNING s.job_id
), promoted AS (
    UPDATE jobs_stagerun s
    SET state = 'ready', ready_at = clock_timestamp(), driven_at = clock_timestamp()
    FROM closed
    WHERE %(promote)s AND s.state = 'waiting' AND s.id = (
        SELECT id FROM jobs_stagerun
        WHERE job_id = %(job_id)s AND state = 'waiting' ORDER BY position LIMIT 1
    )
)
SELECT held.* FROM held JOIN closed ON closed.job_id = held.id
"""


def _claims(sql: str, parameters: dict[str, Any]) -> list[Claim]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [
            Claim(row[0], row[1], STAGES[row[2]], row[3], row[4], row[5], row[6], row[7])
            for row in cursor.fetchall()
        ]


def _lease() -> Any:  # a timedelta; the stubs of execute() do not know that it may be one
    return timedelta(seconds=settings.ENVIRONMENT.lease_seconds)


def stage_claim(*, stage_id: UUID, holder: str) -> Claim | None:
    """Claim the stage, or return None where it is not to be had: finished, leased elsewhere, not
    yet due, behind an unfinished stage, or of an ended job."""
    claims = _claims(_CLAIM, {"stage_id": stage_id, "holder": holder, "lease": _lease()})
    return claims[0] if claims else None


def riders_claim(*, claim: Claim, holder: str, room: int) -> list[Claim]:
    """Claim other ready stages that fit `claim`'s batch, up to `room` pictures in all.

    A stage whose last attempt ended badly neither rides nor takes riders.
    """
    if room < 1 or claim.alone or not claim.stage.batches:
        return []
    return _claims(
        _CLAIM_RIDERS,
        {
            "stage": claim.stage.name.value,
            "batch_key": claim.batch_key,
            "holder": holder,
            "lease": _lease(),
            "room": room,
        },
    )


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


def stage_finish(
    *,
    claim: Claim,
    record: Callable[[Job], object],
    onward: Onward = Onward.NEXT,
    rider: bool = False,
) -> bool:
    """Finish the stage and write its results in one transaction.

    `record` gets the job, locked, and writes results and decisions; `onward` says how the job
    then goes on. Returns whether the message that is being worked on may send its next link: not
    for a `rider`, whose own chain is started by the outbox instead.

    Raises `ClaimLost`, with nothing written, where the stage is no longer the holder's.
    """
    with transaction.atomic():
        job = _close(claim, StageState.DONE, promote=onward is Onward.NEXT)
        record(job)
        if onward is Onward.STOP:
            return False
        if onward is Onward.AFRESH:
            stage_promote(job)
        if onward is Onward.AFRESH or rider:
            outbox_continue(job=job)
            return False
        return True


def stage_fail(*, claim: Claim, error: str, transient: bool = False) -> None:
    """Record that an attempt ended badly: tried again after a doubling delay, alone, or given up.

    A `transient` failure (an outside system is away) uses up no attempt, for about an hour.
    Does nothing where the stage is no longer the holder's.
    """
    with transaction.atomic():
        try:
            job = _close(claim, StageState.FAILED, error=error)
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
    outbox_continue(job=job, available_at=run.ready_at)


def _close(claim: Claim, state: StageState, *, error: str = "", promote: bool = False) -> Job:
    """Lock the job, end the lease under the token, and give the job as it now is; with `promote`
    its next stage is ready.

    Raises `ClaimLost` where the stage is no longer the holder's.
    """
    closed = Job.objects.raw(
        _CLOSE,
        {
            "job_id": claim.job_id, "stage_id": claim.stage_id, "token": claim.token,
            "state": state.value, "error": error, "promote": promote,
        },
    )  # fmt: skip
    for job in closed:
        return job
    raise ClaimLost(f"stage {claim.stage_id} is no longer held under token {claim.token}")
