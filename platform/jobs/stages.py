"""The pipeline: one ordered list.

    align ─► generate ─► scrutinise ─► release
    round 2, for the pictures that are toxic as a whole, before the release:
    revise ─► generate ─► scrutinise

Each stage is a row per (job, stage, round) and a Celery task of the same name on its queue.
Rows of a job run in the order of their `position`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from jobs.states import JobStatus


class StageName(models.TextChoices):
    ALIGN = "align"
    REVISE = "revise"
    GENERATE = "generate"
    SCRUTINISE = "scrutinise"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the pipeline.

    `status` is what the job shows while the stage runs (None: unchanged). `on_exhaustion` is
    what becomes of the job when the last attempt failed: scrutiny without a verdict goes to a
    person, everything else fails.
    """

    name: StageName
    queue: str
    status: JobStatus | None
    on_exhaustion: JobStatus
    batches: bool = False

    @property
    def task(self) -> str:
        """The Celery task's name."""
        return f"workers.{self.name.value}"


ALIGN = Stage(StageName.ALIGN, "text", JobStatus.ALIGNING, JobStatus.NEEDS_REVIEW)
REVISE = Stage(StageName.REVISE, "text", JobStatus.ALIGNING, JobStatus.NEEDS_REVIEW)
GENERATE = Stage(
    StageName.GENERATE, "generate", JobStatus.GENERATING, JobStatus.FAILED, batches=True
)
SCRUTINISE = Stage(
    StageName.SCRUTINISE, "scrutinise", JobStatus.SCRUTINISING, JobStatus.NEEDS_REVIEW, batches=True
)
RELEASE = Stage(StageName.RELEASE, "io", None, JobStatus.FAILED)

PIPELINE: tuple[Stage, ...] = (ALIGN, GENERATE, SCRUTINISE, RELEASE)
SECOND_ROUND: tuple[Stage, ...] = (REVISE, GENERATE, SCRUTINISE)

STAGES: Mapping[str, Stage] = {
    stage.name.value: stage for stage in (ALIGN, REVISE, GENERATE, SCRUTINISE, RELEASE)
}

RELEASE_POSITION = 1000


def position_of(stage: Stage, round: int) -> int:
    """Where a stage stands in its job: rounds in turn, every release after every round."""
    if stage is RELEASE:
        return RELEASE_POSITION + round
    first_round = (ALIGN, GENERATE, SCRUTINISE)
    order = first_round if round == 1 else SECOND_ROUND
    return round * 10 + order.index(stage)
