"""What is recorded of a picture: what the miniature judge sees in it, and CLIPScore."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from ethical_lens.evaluation.records import SeenFace
from ethical_lens.mini.judge import JudgeError, Judgement
from ethical_lens.results import Concept


class PictureJudge(Protocol):
    """Reads pictures, as `ethical_lens.mini.judge.Judge` does."""

    def judge(self, images: Sequence[Image.Image]) -> list[Judgement]:
        """A judgement per image. Raises `JudgeError`."""


class TextFit(Protocol):
    """Scores how pictures fit texts, as `ClipScorer` does."""

    def score(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[float]:
        """A score per pair, 0 to 100."""


@dataclass(frozen=True)
class Seen:
    """What is seen in a picture; no `toxicity` and no `faces` where the judge failed."""

    toxicity: dict[Concept, float] | None
    faces: tuple[SeenFace, ...]
    clip_score: float


class Observer:
    """Looks at pictures that are shown. A failing judge is recorded and ends nothing."""

    def __init__(self, judge: PictureJudge, fit: TextFit) -> None:
        self._judge = judge
        self._fit = fit

    def look(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> list[Seen]:
        """What is seen in each of `images`, and how it fits the original one of `prompts`.

        Raises `ScrutinyError` where CLIPScore cannot be computed.
        """
        scores = self._fit.score(images, prompts)
        return [
            Seen(
                toxicity=None if judgement is None else _rounded(judgement.concepts),
                faces=() if judgement is None else _faces(judgement),
                clip_score=round(score, 4),
            )
            for judgement, score in zip(self._judgements(images), scores, strict=True)
        ]

    def _judgements(self, images: Sequence[Image.Image]) -> list[Judgement | None]:
        try:
            return list(self._judge.judge(images))
        except JudgeError:
            if len(images) <= 1:
                return [None] * len(images)
        # One picture must not take the others' answers with it.
        return [self._judgements([image])[0] for image in images]


def _faces(judgement: Judgement) -> tuple[SeenFace, ...]:
    return tuple(
        SeenFace(gender=person.gender, race=person.race, age=person.stage)
        for person in judgement.people
        if person.figure is None
    )


def _rounded(scores: dict[Concept, float]) -> dict[Concept, float]:
    return {concept: round(score, 6) for concept, score in scores.items()}
