"""What is recorded of a picture: what a judge and instruments see in it, and CLIPScore."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from ethical_lens.evaluation.published_heads import Instrument
from ethical_lens.evaluation.records import JudgeFailure, SeenFace
from ethical_lens.image.errors import ModelFailed, ScrutinyError
from ethical_lens.image.readings import ReadsFaces
from ethical_lens.mini.judge import JudgeError, Judgement
from ethical_lens.results import Concept


@dataclass(frozen=True)
class Opinion:
    """What a judge says of a picture; where it failed, why and nothing else."""

    toxicity: dict[Concept, float] | None = None
    faces: tuple[SeenFace, ...] = ()
    failure: JudgeFailure | None = None


class JudgeUnavailable(ScrutinyError):
    """The judge cannot be asked now. That says nothing about the pictures: they are to be judged
    later."""


class PictureJudge(Protocol):
    """Looks at pictures. Where one gets no answer, that is an opinion too, and ends nothing."""

    def look(self, images: Sequence[Image.Image]) -> list[Opinion]:
        """An opinion per image. Raises `JudgeUnavailable` where nothing follows about a picture."""


class ReadsPictures(Protocol):
    """As `ethical_lens.mini.judge.Judge`."""

    def judge(self, images: Sequence[Image.Image]) -> list[Judgement]:
        """A judgement per image. Raises `JudgeError`."""


class TextFit(Protocol):
    """Scores how pictures fit texts, as `ClipScorer` does."""

    def score(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[float]:
        """A score per pair, 0 to 100."""


class MiniJudge:
    """The judge of the miniature world. One bad picture does not take the others' answers."""

    def __init__(self, judge: ReadsPictures) -> None:
        self._judge = judge

    def look(self, images: Sequence[Image.Image]) -> list[Opinion]:
        """As `PictureJudge`."""
        try:
            return [_opinion(one) for one in self._judge.judge(images)]
        except JudgeError:
            if len(images) <= 1:
                return [Opinion(failure=JudgeFailure.ERROR)] * len(images)
        return [self.look([image])[0] for image in images]


@dataclass(frozen=True)
class Seen:
    """All that is measured on a picture. `read_faces` is None where no face reader looks."""

    opinion: Opinion
    clip_score: float
    read_faces: tuple[SeenFace, ...] | None = None
    measured: dict[str, float] = field(default_factory=dict)


class Observer:
    """Looks at pictures that are shown. Without a `judge` nothing is said of toxicity and faces;
    `reader` reads faces beside the judge."""

    def __init__(
        self,
        judge: PictureJudge | None,
        fit: TextFit,
        instruments: Sequence[Instrument] = (),
        reader: ReadsFaces | None = None,
    ) -> None:
        self._judge = judge
        self._fit = fit
        self._instruments = tuple(instruments)
        self._reader = reader

    def look(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> list[Seen]:
        """What is seen in each of `images`, and how it fits the original one of `prompts`.

        Raises `ScrutinyError` where CLIPScore or an instrument fails, or the judge is away.
        """
        if not images:
            return []
        scores = self._fit.score(images, prompts)
        opinions = [Opinion()] * len(images) if self._judge is None else self._judge.look(images)
        faces = self._reader.read(images) if self._reader else None
        measured = {one.name: one.measure(images) for one in self._instruments}
        if {len(scores), len(opinions), *map(len, measured.values())} != {len(images)}:
            raise ModelFailed("a judge or an instrument did not answer for every picture")
        return [
            Seen(
                opinion=_rounded(opinion),
                clip_score=round(scores[i], 4),
                read_faces=None
                if faces is None
                else tuple(
                    SeenFace(gender=one.gender, race=one.race, age=one.stage)
                    for one in (face.for_record() for face in faces[i])
                ),
                measured={name: round(values[i], 6) for name, values in measured.items()},
            )
            for i, opinion in enumerate(opinions)
        ]


def _opinion(judgement: Judgement) -> Opinion:
    return Opinion(
        toxicity=judgement.concepts,
        faces=tuple(
            SeenFace(gender=person.gender, race=person.race, age=person.stage)
            for person in judgement.people
            if person.figure is None
        ),
    )


def _rounded(opinion: Opinion) -> Opinion:
    if opinion.toxicity is None:
        return opinion
    scores = {concept: round(score, 6) for concept, score in opinion.toxicity.items()}
    return Opinion(scores, opinion.faces)
