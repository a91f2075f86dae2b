"""One line of a run: a prompt on an arm, and what became of each picture asked for.

Torch-free and frozen; all figures, tables and plots are made of these alone.
"""

from enum import StrEnum
from typing import Final

from pydantic import Field, FiniteFloat, model_validator

from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    Concept,
    Factor,
    Label,
    LifeStage,
    Score,
    Value,
)

AESTHETIC: Final = "aesthetic"
CLIP_NSFW: Final = "clip_nsfw"
NUDITY: Final = "nudity"
"""Names of instruments in `PictureRecord.measured`."""


class Arm(StrEnum):
    """What is compared. The same prompt has the same seeds on each."""

    BASE = "base"  # the model alone
    ALIGNED = "aligned"  # the whole method
    NO_TEXT = "no-text"  # prompts as they are written; pictures are scrutinised
    NO_IMAGE = "no-image"  # prompts are aligned; pictures are not scrutinised
    NO_FACE_EDIT = "no-face-edit"  # the whole method, but no face is painted anew
    RULES = "aligner-rules"  # the whole method with this aligner alone
    LLM = "aligner-llm"
    LOCAL_LLM = "aligner-local-llm"
    API = "api"  # another's model over HTTP, as it is


UNALIGNED: Final = frozenset({Arm.BASE, Arm.NO_TEXT, Arm.API})
"""The arms that would paint whatever they are asked for."""
ALIGNERS: Final = {Arm.RULES: "rules", Arm.LLM: "llm", Arm.LOCAL_LLM: "local-llm"}
"""The arms with one aligner alone, and what policies call it."""
ABLATIONS: Final = (Arm.NO_TEXT, Arm.NO_IMAGE, Arm.NO_FACE_EDIT, *ALIGNERS)
"""The arms that run on a part of the prompts and are compared with the whole method."""


class Outcome(StrEnum):
    """How a request for one picture ends."""

    SHOWN = "shown"
    BLOCKED = "blocked"
    REVIEW = "review"  # no picture before a person has looked


class JudgeFailure(StrEnum):
    """Why a judge said nothing of a picture."""

    REFUSED = "refused"
    ERROR = "error"  # it does not take the picture, or gives numbers that are none
    UNREADABLE = "unreadable"  # an answer that does not fit what was asked


class SeenFace(Value):
    """Somebody whom the judge sees in a picture. Public figures are not among them. None is what
    could not be told."""

    gender: str | None
    race: str | None
    age: LifeStage | None

    def value(self, attribute: Attribute) -> str | None:
        """What is seen of `attribute`, in the words of `AttributePools`."""
        found = getattr(self, attribute.value)
        return None if found is None else str(found)


class PictureRecord(Value):
    """One picture that was asked for.

    `reason` is a stable code. `prompt` is what the picture was painted from, in `round` 1 or 2;
    empty where nothing was. `heads`: scores of scrutiny on the picture as it is here, 0 to 1.
    `toxicity`: confidence of the judge per concept, 0 to 1, and `clip_score` (0 to 100) against
    the original prompt; None where there is no picture, where nobody judges, or where the judge
    failed, which `judge_failure` says. `read_faces`: what a face reader sees, None where none
    looked. `measured`: further figures by the name of their instrument.
    """

    seed: int
    outcome: Outcome
    reason: str = Field(min_length=1)
    prompt: str = ""
    round: int = Field(default=0, ge=0, le=2)
    blurred: bool = False
    edited: bool = False
    draws: tuple[AttributeDraw, ...] = ()
    heads: dict[Concept, Score] = Field(default_factory=dict)
    toxicity: dict[Concept, Score] | None = None
    faces: tuple[SeenFace, ...] = ()
    clip_score: float | None = Field(default=None, ge=0.0, le=100.0, allow_inf_nan=False)
    judge_failure: JudgeFailure | None = None
    read_faces: tuple[SeenFace, ...] | None = None
    measured: dict[str, FiniteFloat] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _only_what_is_shown_is_judged(self) -> "PictureRecord":
        judged = (
            self.toxicity is not None
            or self.clip_score is not None
            or self.read_faces is not None
            or bool(self.faces or self.measured)
        )
        if judged and self.outcome is not Outcome.SHOWN:
            raise ValueError("only a picture that is shown is judged")
        if self.judge_failure and self.toxicity is not None:
            raise ValueError("a judge that failed says nothing")
        return self


class PromptRecord(Value):
    """A prompt on an arm. `suite_set` is the name of its set, `id` its own there.

    `labels` and `factors` are what text scrutiny said, empty where it said nothing. `withheld`:
    the prompt is one that may never be painted, and this arm would not have blocked it itself;
    then there are no pictures, and it counts nowhere.
    """

    suite_set: str = Field(min_length=1)
    id: str = Field(min_length=1)
    arm: Arm
    labels: frozenset[Label] = frozenset()
    factors: frozenset[Factor] = frozenset()
    aligned_prompt: str = ""
    withheld: bool = False
    pictures: tuple[PictureRecord, ...] = ()

    @model_validator(mode="after")
    def _withheld_has_no_picture(self) -> "PromptRecord":
        if self.withheld and self.pictures:
            raise ValueError("what is withheld has no pictures")
        return self

    @property
    def shown(self) -> tuple[PictureRecord, ...]:
        """The pictures that there are."""
        return tuple(one for one in self.pictures if one.outcome is Outcome.SHOWN)
