"""The statuses of a job and of its pictures, and every move that is allowed.

job                                  (any state but an end) ──cancel──► canceled
                                     (any state but an end) ──attempts used up──► failed
          ┌────────────── prompt approved ──────────────┐
          ▼                                             │
queued ─► aligning ─► generating ─► scrutinising ─► needs_review
             │  ▲         ▲              │  │            │
             │  │         └──────────────┘  │            ├─► succeeded   some picture released
             │  └── revised for round 2 ────┤            ├─► blocked     else some blocked
             ├─► blocked (K3)               │            └─► failed      else
             └─► needs_review (no verdict)  └─► succeeded / blocked / failed

          pictures that were sent are scrutinised before generating, or at once where there is no
          text; a job of scrutiny alone ends there as succeeded, failed where there is no verdict

picture   pending ─► quarantined ─┬─► released
                                  ├─► in_review ─► released / blocked
                                  └─► blocked
          undecided when the job ends: blocked, failed or withdrawn as the job is blocked, failed
          or canceled; failed too where painting or releasing it was given up
"""

from collections.abc import Mapping

from django.db import models


class JobStatus(models.TextChoices):
    QUEUED = "queued"
    ALIGNING = "aligning"
    GENERATING = "generating"
    SCRUTINISING = "scrutinising"
    NEEDS_REVIEW = "needs_review"
    SUCCEEDED = "succeeded"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELED = "canceled"


class PictureStatus(models.TextChoices):
    PENDING = "pending"
    QUARANTINED = "quarantined"
    IN_REVIEW = "in_review"
    RELEASED = "released"
    BLOCKED = "blocked"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class StageState(models.TextChoices):
    """waiting (for the stage before) ─► ready ─► running ─► done; the rest skipped at an end."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


_J = JobStatus
JOB_MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    _J.QUEUED: frozenset(
        {
            _J.ALIGNING, _J.SCRUTINISING, _J.GENERATING,
            _J.NEEDS_REVIEW, _J.FAILED, _J.CANCELED,
        }
    ),
    _J.ALIGNING: frozenset(
        {
            _J.ALIGNING, _J.SCRUTINISING, _J.GENERATING,
            _J.NEEDS_REVIEW, _J.SUCCEEDED, _J.BLOCKED, _J.FAILED, _J.CANCELED,
        }
    ),
    _J.GENERATING: frozenset(
        {_J.GENERATING, _J.SCRUTINISING, _J.NEEDS_REVIEW, _J.FAILED, _J.CANCELED}
    ),
    _J.SCRUTINISING: frozenset(
        {
            _J.SCRUTINISING, _J.ALIGNING, _J.GENERATING, _J.NEEDS_REVIEW,
            _J.SUCCEEDED, _J.BLOCKED, _J.FAILED, _J.CANCELED,
        }
    ),
    _J.NEEDS_REVIEW: frozenset({_J.QUEUED, _J.SUCCEEDED, _J.BLOCKED, _J.FAILED, _J.CANCELED}),
    _J.SUCCEEDED: frozenset(),
    _J.BLOCKED: frozenset(),
    _J.FAILED: frozenset(),
    _J.CANCELED: frozenset(),
}  # fmt: skip

TERMINAL: frozenset[JobStatus] = frozenset(s for s, moves in JOB_MOVES.items() if not moves)
IN_FLIGHT: frozenset[JobStatus] = frozenset(JobStatus) - TERMINAL - {JobStatus.NEEDS_REVIEW}
"""Counted against the dispatch window once admitted."""


class IllegalMove(Exception):
    """A status was asked to move where the table does not let it."""


def sources_of(target: JobStatus) -> list[str]:
    """The statuses from which a job may move to `target`."""
    return [source.value for source, moves in JOB_MOVES.items() if target in moves]


def check_job_move(current: str, target: JobStatus) -> None:
    """Raise `IllegalMove` where a job may not go from `current` to `target`."""
    if target not in JOB_MOVES[JobStatus(current)]:
        raise IllegalMove(f"a job that is {current} cannot become {target.value}")
