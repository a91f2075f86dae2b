"""The pipeline: one ordered list.

    fetch ─► align ─► inspect ─► generate ─► scrutinise ─► release
    round 2, for the pictures that are toxic as a whole, before the release:
    revise ─► generate ─► scrutinise
    after either scrutiny, where the policy edits faces and one does not look as drawn:
    edit

A job has those of them that it needs: `fetch` where pictures are sent as addresses, `align` where
there is a text, `inspect` where pictures are sent, the rest where pictures are to be painted. A job
of scrutiny alone ends after `align` or `inspect`.

Each stage is a row per (job, stage, round) and a Celery task of the same name on its queue.
Rows of a job run in the order of their `position`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from jobs.states import JobStatus


class StageName(models.TextChoices):
    FETCH = "fetch"
    ALIGN = "align"
    INSPECT = "inspect"
    REVISE = "revise"
    GENERATE = "generate"
    SCRUTINISE = "scrutinise"
    EDIT = "edit"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the pipeline.

    `status` is what the job shows while the stage runs (None: unchanged).
    """

    name: StageName
    queue: str
    status: JobStatus | None

    @property
    def task(self) -> str:
        """The Celery task's name."""
        return f"workers.{self.name.value}"


FETCH = Stage(StageName.FETCH, "fetch", JobStatus.ALIGNING)
ALIGN = Stage(StageName.ALIGN, "text", JobStatus.ALIGNING)
INSPECT = Stage(StageName.INSPECT, "scrutinise", JobStatus.SCRUTINISING)
REVISE = Stage(StageName.REVISE, "text", JobStatus.ALIGNING)
GENERATE = Stage(StageName.GENERATE, "generate", JobStatus.GENERATING)
SCRUTINISE = Stage(StageName.SCRUTINISE, "scrutinise", JobStatus.SCRUTINISING)
EDIT = Stage(StageName.EDIT, "generate", JobStatus.SCRUTINISING)
RELEASE = Stage(StageName.RELEASE, "io", None)

PIPELINE: tuple[Stage, ...] = (FETCH, ALIGN, INSPECT, GENERATE, SCRUTINISE, RELEASE)
SECOND_ROUND: tuple[Stage, ...] = (REVISE, GENERATE, SCRUTINISE)

STAGES: Mapping[str, Stage] = {
    stage.name.value: stage
    for stage in (FETCH, ALIGN, INSPECT, REVISE, GENERATE, SCRUTINISE, EDIT, RELEASE)
}

RELEASE_POSITION = 1000
_EDIT_PLACE = 9
"""After whatever else a round has."""


def pipeline_of(*, text: bool, pictures: bool, addresses: bool, paints: bool) -> tuple[Stage, ...]:
    """The stages of a job with a text, with pictures sent, some of them as addresses, and with
    pictures to paint."""
    needed = {FETCH: addresses, ALIGN: text, INSPECT: pictures}
    return tuple(stage for stage in PIPELINE if needed.get(stage, paints))


def position_of(stage: Stage, round: int) -> int:
    """Where a stage stands in its job: rounds in turn, every release after every round."""
    if stage is RELEASE:
        return RELEASE_POSITION + round
    if stage is EDIT:
        return round * 10 + _EDIT_PLACE
    order = PIPELINE if round == 1 else SECOND_ROUND
    return round * 10 + order.index(stage)
