"""What reading faces gives, whoever reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from PIL import Image

from ethical_lens.results import Attribute, LifeStage, ReadFace

T = TypeVar("T")
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Distribution(Generic[T]):
    """Probabilities that sum to 1."""

    probabilities: dict[T, float]

    @property
    def best(self) -> T:
        return max(self.probabilities, key=lambda value: self.probabilities[value])

    @property
    def certainty(self) -> float:
        """The probability of the best."""
        return self.probabilities[self.best]


Attributes = tuple[Distribution[str], Distribution[str], Distribution[LifeStage]]
"""Gender, race and life stage of a face."""


@dataclass(frozen=True)
class FaceReading:
    """One face: `box` in pixels of the picture, and how sure the detector is (0 to 1)."""

    box: Box
    score: float
    gender: Distribution[str]
    race: Distribution[str]
    stage: Distribution[LifeStage]

    @property
    def under_twenty(self) -> bool:
        """Whether the likeliest life stage ends before 20, or all that do are as likely as not."""
        young = sum(odds for stage, odds in self.stage.probabilities.items() if stage.under_twenty)
        return self.stage.best.under_twenty or young >= 0.5

    def for_record(self) -> ReadFace:
        """What a verdict keeps of it."""
        left, top, right, bottom = (round(side) for side in self.box)
        return ReadFace(
            box=(left, top, right, bottom),
            score=_rounded(self.score),
            gender=self.gender.best,
            race=self.race.best,
            stage=self.stage.best,
            certainty={
                Attribute.GENDER: _rounded(self.gender.certainty),
                Attribute.RACE: _rounded(self.race.certainty),
                Attribute.AGE: _rounded(self.stage.certainty),
            },
            under_twenty=self.under_twenty,
        )


class ReadsFaces(Protocol):
    """Finds faces and says what each looks like. Load it once per process."""

    def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
        """The faces of each picture from left to right; none found gives an empty tuple.

        Raises `ScrutinyError` where a picture cannot be read or a model fails: no reading is never
        taken for no face.
        """


def _rounded(share: float) -> float:
    return round(min(share, 1.0), 4)
