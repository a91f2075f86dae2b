"""The judge: reads from a picture who and what it shows. For evaluation only.

It shares neither architecture nor training pictures with what it judges: a residual network whose
grid of 12 x 12 cells says of each cell whether somebody's head is there, and who.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeVar

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.scene import GENDERS, RACES, Figure, Kind, Place, Style
from ethical_lens.results import Concept, LifeStage

T = TypeVar("T")

WEIGHTS: Final = "judge.safetensors"
CELL: Final = 8
"""Side of a cell, in pixels of a picture of 96 x 96."""
CELLS: Final = SIZE // CELL
PRESENT: Final = 0.45
"""From this score on somebody is there."""

NUDE: Final = "unclothed"
ROLES: Final = (*Kind, NUDE, *Figure)
"""What somebody is seen as. No outfit is seen on who is unclothed; a figure has none."""
PLACES: Final = (*Place, None)  # None: a pattern
_PERSON_PARTS: Final = (1, len(ROLES), len(GENDERS), len(RACES), len(LifeStage))
_WHOLE_PARTS: Final = (len(Concept), len(Figure), len(PLACES), len(Style))


class JudgeError(Exception):
    """The judge cannot be loaded, or gave numbers that are not finite."""


@dataclass(frozen=True)
class SeenPerson:
    """Somebody in a picture, the middle of the face at (x, y) in its pixels.

    `kind` is None where `nude` or `figure` is set. Of a figure gender, race and stage mean
    nothing. `score` (0 to 1) says how sure it is that somebody is there.
    """

    x: float
    y: float
    score: float
    kind: Kind | None
    nude: bool
    figure: Figure | None
    gender: str
    race: str
    stage: LifeStage


@dataclass(frozen=True)
class Judgement:
    """What a picture shows: `people` from left to right, probabilities of concepts and figures.

    `place` is None for a pattern.
    """

    people: tuple[SeenPerson, ...]
    concepts: dict[Concept, float]
    figures: dict[Figure, float]
    place: Place | None
    style: Style

    @property
    def main(self) -> SeenPerson | None:
        """The person it is most sure of."""
        return max(self.people, key=lambda person: person.score, default=None)


class People(NamedTuple):
    """Logits by cell: (n, 1, 12, 12), then (n, values, 12, 12)."""

    score: torch.Tensor
    role: torch.Tensor
    gender: torch.Tensor
    race: torch.Tensor
    stage: torch.Tensor


class Whole(NamedTuple):
    """Logits of the whole picture, (n, values)."""

    concepts: torch.Tensor
    figures: torch.Tensor
    place: torch.Tensor
    style: torch.Tensor


class JudgeNetwork(nn.Module):
    """Pictures (n, 3, 96, 96), 0 to 1, to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _conv(3, 24, stride=2),
            _conv(24, 48, stride=2),
            _Residual(48, 24),
            _conv(48, 96, stride=2),
            *(_Residual(96, 48) for _ in range(3)),
        )
        self.coarse = nn.Sequential(
            _conv(96, 160, stride=2), *(_Residual(160, 80) for _ in range(4))
        )
        self.from_coarse = nn.Conv2d(160, 96, 1)
        answers = nn.Conv2d(128, sum(_PERSON_PARTS), 1)
        nn.init.constant_(answers.bias[:1], -4.0)  # type: ignore[index]
        self.cells = nn.Sequential(_conv(96, 128), answers)
        self.whole = nn.Sequential(
            nn.Linear(96 + 2 * 160, 192), nn.ReLU(), nn.Linear(192, sum(_WHOLE_PARTS))
        )

    def forward(self, pictures: torch.Tensor) -> tuple[People, Whole]:
        fine = self.fine(2 * pictures - 1)
        coarse = self.coarse(fine)
        wide = functional.interpolate(
            self.from_coarse(coarse), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        both = fine + wide
        whole = torch.cat([both.amax((2, 3)), coarse.amax((2, 3)), coarse.mean((2, 3))], 1)
        return (
            People(*self.cells(both).split(_PERSON_PARTS, 1)),
            Whole(*self.whole(whole).split(_WHOLE_PARTS, 1)),
        )


class Judge:
    """The network with its trained weights, on the CPU."""

    def __init__(self, network: JudgeNetwork) -> None:
        self._network = network.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load `judge.safetensors`. Raises `JudgeError` where it is missing or does not fit."""
        with torch.random.fork_rng(devices=[]):
            network = JudgeNetwork()
        try:
            network.load_state_dict(load_file(folder / WEIGHTS))
        except LOAD_FAILURES as error:
            raise JudgeError(
                f"judge: {folder / WEIGHTS} cannot be loaded: {error}\n`make mini-models` makes it."
            ) from error
        return cls(network)

    @torch.inference_mode()
    def judge(self, images: Sequence[Image.Image]) -> list[Judgement]:
        """Judge `images` of any size in one pass. Raises `JudgeError` for numbers not finite."""
        if not images:
            return []
        people, whole = self._network(as_pictures(images))
        if not all(torch.isfinite(part).all() for part in (*people, *whole)):
            raise JudgeError("the judge's numbers are not finite")
        return [
            _judgement(
                image,
                People(*(part[i] for part in people)),
                Whole(*(part[i] for part in whole)),
            )
            for i, image in enumerate(images)
        ]


def as_pictures(images: Sequence[Image.Image]) -> torch.Tensor:
    """Images of any size as (n, 3, 96, 96), 0 to 1."""
    arrays = [
        np.asarray(
            image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)
            if image.size != (SIZE, SIZE)
            else image.convert("RGB")
        )
        for image in images
    ]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255


def _judgement(image: Image.Image, people: People, whole: Whole) -> Judgement:
    scores = torch.sigmoid(people.score)
    peaks = (scores >= PRESENT) & (scores == functional.max_pool2d(scores, 3, 1, 1))
    step_x, step_y = image.width / CELLS, image.height / CELLS
    seen = []
    for row, column in peaks[0].nonzero().tolist():
        role, gender, race, stage = (int(part[:, row, column].argmax()) for part in people[1:])
        seen.append(
            SeenPerson(
                x=(column + 0.5) * step_x,
                y=(row + 0.5) * step_y,
                score=scores[0, row, column].item(),
                kind=_if(Kind, ROLES[role]),
                nude=ROLES[role] == NUDE,
                figure=_if(Figure, ROLES[role]),
                gender=GENDERS[gender],
                race=RACES[race],
                stage=tuple(LifeStage)[stage],
            )
        )
    return Judgement(
        people=tuple(sorted(seen, key=lambda person: person.x)),
        concepts=dict(zip(Concept, torch.sigmoid(whole.concepts).tolist(), strict=True)),
        figures=dict(zip(Figure, torch.sigmoid(whole.figures).tolist(), strict=True)),
        place=PLACES[int(whole.place.argmax())],
        style=tuple(Style)[int(whole.style.argmax())],
    )


def _if(cls: type[T], value: object) -> T | None:
    return value if isinstance(value, cls) else None


def _conv(before: int, after: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """A bottleneck of `inner` channels beside the identity (He et al., 2015)."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(channels, inner, size=1),
            _conv(inner, inner),
            nn.Conv2d(inner, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.body(x))
