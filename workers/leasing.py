"""Claims around the work of a stage: what Celery delivers is only a wake-up."""

import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from celery.exceptions import Ignore
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs.claims import (
    Claim,
    ClaimLost,
    riders_claim,
    stage_claim,
    stage_fail,
)
from jobs.storage import StorageUnavailable
from workers.heartbeat import HEARTBEAT

logger = logging.getLogger(__name__)

TRANSIENT = (StorageUnavailable, OperationalError)
"""Failures of outside systems, which are no fault of the job."""


def stage_run(stage_id: str, work: Callable[[Sequence[Claim]], bool]) -> None:
    """Claim the stage, and others that fit its batch, and do `work` on them.

    `work` gets the claims, the message's own first, and returns whether the job goes on by this
    message. Where it does not, or the stage is not to be had, raises `Ignore`, which stops the
    Celery chain: a link that returned quietly would send the next one.
    """
    with _Lease(UUID(stage_id)) as lease:
        goes_on = work(lease.claims)
    if not goes_on:
        raise Ignore


def finish_each(claims: Sequence[Claim], finish: Callable[[Claim, bool], bool]) -> bool:
    """Finish the claims of a batch one by one; whether the message's own job goes on.

    `finish` gets a claim and whether it rides on another's message. A claim that was lost
    meanwhile (canceled, taken over) costs the others nothing.
    """
    goes_on = False
    for claim in claims:
        rider = claim is not claims[0]
        try:
            goes_on = finish(claim, rider) or goes_on
        except ClaimLost as lost:
            logger.info("%s", lost)
        except Exception as error:  # noqa: BLE001 - it must not cost the others of the batch
            _record_failure(claim, error)
    return goes_on


class _Lease:
    """Holds the claims while the work goes on, and records how it ended badly where it did."""

    def __init__(self, stage_id: UUID) -> None:
        self.stage_id = stage_id
        self.claims: list[Claim] = []

    def __enter__(self) -> Self:
        claim = _claim(self.stage_id)
        if claim is None:
            raise Ignore
        self.claims = [claim]
        HEARTBEAT.watch(self.claims)
        try:
            riders = _riders(claim)
        except DatabaseError as error:
            logger.warning("goes alone, no riders could be claimed: %s", error)
        else:
            self.claims += riders
            HEARTBEAT.watch(riders)
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


def _claim(stage_id: UUID) -> Claim | None:
    """Claim the stage; on a new connection where the last one broke since the last task, which
    costs nothing as long as it did not."""
    try:
        return stage_claim(stage_id=stage_id, holder=HEARTBEAT.name)
    except (OperationalError, InterfaceError):
        connection.close()
        return stage_claim(stage_id=stage_id, holder=HEARTBEAT.name)


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


def _riders(claim: Claim) -> list[Claim]:
    if not claim.stage.batches or claim.alone:
        return []
    room = settings.ENVIRONMENT.generate_batch_size - claim.pictures
    return riders_claim(claim=claim, holder=HEARTBEAT.name, room=room)
