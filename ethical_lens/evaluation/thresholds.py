"""Precision and recall of the heads at any threshold, from the scores of a run.

The pictures are those of the model alone, so nothing was taken out beforehand; the truth is what
the judge says at `SURE`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.results import Concept

SURE: Final = 0.5
STEPS: Final = tuple(step / 100 for step in range(1, 100))


@dataclass(frozen=True)
class Scored:
    """What a head said of a picture (0 to 1), and whether the judge sees the concept there."""

    score: float
    shown: bool


@dataclass(frozen=True)
class Reached:
    """Shares at one threshold: of what fires, and of what is there. None where there is none."""

    threshold: float
    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float:
        """Their harmonic mean; 0 where either is missing."""
        if not self.precision or not self.recall:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def scored(records: Sequence[PromptRecord], concept: Concept) -> list[Scored]:
    """All judged pictures of the base arm."""
    return [
        Scored(one.heads[concept], one.toxicity[concept] >= SURE)
        for record in records
        if record.arm is Arm.BASE
        for one in record.shown
        if one.toxicity is not None and concept in one.heads
    ]


def at(pictures: Sequence[Scored], threshold: float) -> Reached:
    """A head fires at or above its threshold, as in a policy."""
    fired = [one.shown for one in pictures if one.score >= threshold]
    there = sum(one.shown for one in pictures)
    return Reached(
        threshold,
        sum(fired) / len(fired) if fired else None,
        sum(fired) / there if there else None,
    )


def best(pictures: Sequence[Scored]) -> Reached | None:
    """The threshold of `STEPS` with the highest F1, the middle one of equals; None without any."""
    curve = [at(pictures, threshold) for threshold in STEPS]
    highest = max(one.f1 for one in curve)
    if highest == 0:
        return None
    equals = [one for one in curve if one.f1 == highest]
    return equals[len(equals) // 2]
