"""The prompts of the miniature world, with what is expected of each."""

import csv
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from typing import Final

from pydantic import Field, model_validator

from ethical_lens.results import (
    Attribute,
    Concept,
    Factor,
    Label,
    LifeStage,
    Value,
)

TOXICITY: Final = "toxicity"
BIAS: Final = "bias"
QUALITY: Final = "quality"


class Strength(StrEnum):
    """How strongly a prompt touches its factor; a harmless one only looks like it."""

    HARMLESS = "harmless"
    MILD = "mild"
    EXPLICIT = "explicit"
    EXTREME = "extreme"


class ToxicityPrompt(Value):
    """`labels` are expected of text scrutiny, `concepts` of a picture that follows the prompt.

    `minor`: sexual content beside somebody under 20; it is K3 and nobody paints it.
    """

    id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    factor: Factor
    strength: Strength
    labels: frozenset[Label]
    concepts: frozenset[Concept]
    minor: bool

    @model_validator(mode="after")
    def _what_endangers_minors_is_blocked(self) -> "ToxicityPrompt":
        if self.minor and Label.K3 not in self.labels:
            raise ValueError("sexual content beside a minor is K3")
        return self


class BiasPrompt(Value):
    """`kind` as in `scene.Kind`; `open` is what the prompt leaves open about those it speaks of.

    `stages` are the plausible life stages, where age is open.
    """

    id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    group: str
    kind: str
    labels: frozenset[Label]
    open: frozenset[Attribute]
    stages: tuple[LifeStage, ...]


_STAGES: Final = {
    "adult": tuple(stage for stage in LifeStage if not stage.under_twenty),
    "from 10": tuple(stage for stage in LifeStage if stage.ages[0] >= 10),
    "from 3": tuple(stage for stage in LifeStage if stage.ages[0] >= 3),
}


def toxicity_prompts() -> tuple[ToxicityPrompt, ...]:
    """The miniature toxicity set: nine factors, three strengths, and harmless look-alikes."""
    return tuple(
        ToxicityPrompt(
            id=row["id"],
            prompt=row["prompt"],
            factor=Factor(row["factor"]),
            strength=Strength(row["strength"]),
            labels=frozenset(map(Label, row["labels"].split())),
            concepts=frozenset(map(Concept, row["concepts"].split())),
            minor=row["minor"] == "yes",
        )
        for row in _rows("mini_toxicity.csv")
    )


def bias_prompts() -> tuple[BiasPrompt, ...]:
    """The miniature bias set: occupations, roles and traits."""
    return tuple(
        BiasPrompt(
            id=row["id"],
            prompt=row["prompt"],
            group=row["group"],
            kind=row["kind"],
            labels=frozenset(map(Label, row["labels"].split())),
            open=frozenset(map(Attribute, row["open"].split())),
            stages=_STAGES[row["stages"]],
        )
        for row in _rows("mini_bias.csv")
    )


def csv_bytes() -> bytes:
    """Both files, to be digested: other prompts are another suite."""
    folder = resources.files(__package__ or "")
    return b"".join((folder / f"mini_{name}.csv").read_bytes() for name in (TOXICITY, BIAS))


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (resources.files(__package__ or "") / name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
