"""Claims around the work of a stage: what Celery delivers is only a wake-up."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from celery.exceptions import Ignore
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from jobs.claims import Claim, ClaimLost, stage_fail, stages_claim
from jobs.storage import StorageUnavailable
from workers.heartbeat import HEARTBEAT

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

TRANSIENT = (StorageUnavailable, OperationalError)
"""Failures of outside systems, which are no fault of the job."""


def stages_run(stage_ids: Sequence[str], work: Callable[[Sequence[Claim]], bool]) -> None:
    """Claim the stages, and others that fit their batch, and do `work` on them.

    `work` gets the claims and returns whether any job goes on by this message. Where none does, or
    no stage is to be had, raises `Ignore`, which stops the Celery chain: a link that returned
    quietly would send the next one.
    """
    with _Lease([UUID(stage_id) for stage_id in stage_ids]) as lease:
        goes_on = work(lease.claims)
    if not goes_on:
        raise Ignore


def finish_together(
    results: Mapping[Claim, Result], finish: Callable[[Mapping[Claim, Result]], bool]
) -> bool:
    """Finish the claims of a batch in one transaction, or one by one where that fails, so that a
    job that cannot be finished costs the others nothing. Whether any job goes on by this message.
    """
    if len(results) > 1:
        try:
            return finish(results)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is seen again below
            logger.warning("%d stages are finished one by one: %s", len(results), error)
    alone = [finish_alone(c, partial(finish, {c: result})) for c, result in results.items()]
    return any(alone)


def finish_alone(claim: Claim, finish: Callable[[], bool]) -> bool:
    """Finish one claim of several; where that fails it is this one's failed attempt, no more."""
    try:
        return finish()
    except Exception as error:  # noqa: BLE001 - it must not cost the others of the batch
        _record_failure(claim, error)
        return False


class _Lease:
    """Holds the claims while the work goes on, and records how it ended badly where it did."""

    def __init__(self, stage_ids: Sequence[UUID]) -> None:
        self.stage_ids = stage_ids
        self.claims: list[Claim] = []

    def __enter__(self) -> Self:
        self.claims = _claim(self.stage_ids)
        if not self.claims:
            raise Ignore
        HEARTBEAT.watch(self.claims)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        HEARTBEAT.unwatch(self.claims)
        if error is None:
            return
        for claim in self.claims:
            _record_failure(claim, error)
        if isinstance(error, Exception):
            raise Ignore from error


def _claim(stage_ids: Sequence[UUID]) -> list[Claim]:
    """Claim the stages; on a new connection where the last one broke since the last task, which
    costs nothing as long as it did not."""
    claim = partial(
        stages_claim,
        stage_ids=stage_ids,
        holder=HEARTBEAT.name,
        room=settings.ENVIRONMENT.generate_batch_size,
    )
    try:
        return claim()
    except (OperationalError, InterfaceError):
        connection.close()
        return claim()


def _record_failure(claim: Claim, error: BaseException) -> None:
    """Log it, and let the stage be tried again or given up, where it is still ours."""
    if isinstance(error, ClaimLost):
        logger.info("%s", error)
    else:
        logger.error("%s of job %s failed", claim.stage.name, claim.job_id, exc_info=error)
    stage_fail(
        claim=claim,
        error=f"{type(error).__name__}: {error}"[:2000],
        transient=isinstance(error, (*TRANSIENT, ClaimLost)),
    )
