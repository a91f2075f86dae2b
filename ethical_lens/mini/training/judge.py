"""The judge, trained on balanced drawings that are made worse. See `mini.judge`."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from ethical_lens.mini.judge import (
    CELL,
    CELLS,
    NUDE,
    PLACES,
    ROLES,
    WEIGHTS,
    JudgeNetwork,
    People,
    Whole,
)
from ethical_lens.mini.training.augment import moved, worsened
from ethical_lens.mini.training.boxes import PEOPLE, face_boxes, heat
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.world.scene import GENDERS, RACES, Figure, Person, Scene, Style
from ethical_lens.results import Concept, LifeStage

SEED: Final = 501
_STEPS: Final = 1000
_COUNT: Final = 40_960
_BATCH: Final = 64
_STRENGTH: Final = 1.2
_UNSEEN: Final = -1
"""The label of what cannot be seen."""


def train_judge(
    work: Path,
    out: Path,
    *,
    steps: int = _STEPS,
    count: int = _COUNT,
    batch: int = _BATCH,
) -> None:
    """Train on `count` drawings and write the weights (float16) to `out`.

    `work` keeps drawings and the state of a run that was interrupted.
    """
    drawings = Drawings(work / "drawings", "balanced", SEED, count)
    boxes = torch.from_numpy(face_boxes(drawings))
    who, whole = labels(drawings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = JudgeNetwork().to(memory_format=torch.channels_last)

    def loss_at(step: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + step)
        chosen = torch.randint(count, (batch,), generator=generator).sort().values
        pictures = torch.from_numpy(drawings.pictures[chosen.numpy()])
        pictures = pictures.permute(0, 3, 1, 2).float().div_(255)
        pictures, move = moved(pictures, generator, strength=_STRENGTH)
        pictures = worsened(pictures, generator, strength=_STRENGTH)
        middles = move.points(boxes[chosen].unflatten(2, (2, 2)).mean(2))
        pictures = pictures.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            seen, all_of_it = network(pictures)
        return _people_loss(
            People(*(part.float() for part in seen)), who[chosen], middles
        ) + _whole_loss(Whole(*(part.float() for part in all_of_it)), whole[chosen])

    train("judge", [network], Schedule(steps, rate=3e-3, weight_decay=0.05), loss_at, work)
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {
            name: value.half().contiguous() if value.is_floating_point() else value
            for name, value in network.state_dict().items()
        },
        out / WEIGHTS,
    )


def labels(scenes: Drawings) -> tuple[torch.Tensor, torch.Tensor]:
    """Of people (count, 4, 4): role, gender, race, stage, -1 where it does not show.

    Of the whole (count, 5 + 3 + 2): concepts and figures as 0 or 1, then place and style.
    """
    who = np.full((len(scenes), PEOPLE, 4), _UNSEEN)
    whole = np.zeros((len(scenes), len(Concept) + len(Figure) + 2), np.int64)
    for i, scene in enumerate(scenes):
        for j, person in enumerate(scene.people):
            who[i, j] = _person(person)
        whole[i] = _scene(scene)
    return torch.from_numpy(who), torch.from_numpy(whole)


def _person(person: Person) -> tuple[int, int, int, int]:
    if person.figure is not None:
        return ROLES.index(person.figure), _UNSEEN, _UNSEEN, _UNSEEN
    return (
        ROLES.index(NUDE if person.nude else person.kind),
        GENDERS.index(person.gender),
        RACES.index(person.race),
        tuple(LifeStage).index(person.stage),
    )


def _scene(scene: Scene) -> list[int]:
    figures = {person.figure for person in scene.people}
    return [
        *(concept in scene.concepts for concept in Concept),
        *(figure in figures for figure in Figure),
        PLACES.index(scene.place),
        tuple(Style).index(scene.style),
    ]


def _people_loss(seen: People, who: torch.Tensor, middles: torch.Tensor) -> torch.Tensor:
    """Presence in every cell, the rest in the four cells around each face's middle."""
    at = middles / CELL  # (n, 4, 2), in cells; NaN where there is nobody
    presence = functional.binary_cross_entropy_with_logits(
        seen.score[:, 0], heat(at, CELLS), reduction="sum"
    ) / len(at)
    corners = torch.tensor([(0, 0), (1, 0), (0, 1), (1, 1)])
    first = (at - 0.5).floor()
    cells = first[:, :, None] + corners  # (n, 4 people, 4 cells, 2)
    weight = (1 - (at[:, :, None] - 0.5 - cells).abs()).prod(3).nan_to_num(0.0)
    inside = cells.nan_to_num(0.0).clamp(0, CELLS - 1).long()
    index = (inside[..., 1] * CELLS + inside[..., 0]).flatten(1)
    loss = 2 * presence
    for logits, truth, share in zip(seen[1:], who.unbind(2), (1.5, 0.7, 1.0, 1.0), strict=True):
        picked = logits.flatten(2).gather(2, index[:, None].expand(-1, logits.shape[1], -1))
        answers = truth[:, :, None].expand(-1, -1, 4).flatten(1)
        each = functional.cross_entropy(picked, answers, ignore_index=_UNSEEN, reduction="none")
        counted = weight.flatten(1) * (answers != _UNSEEN)
        loss = loss + share * (each * counted).sum() / counted.sum().clamp_min(1)
    return loss


def _whole_loss(seen: Whole, whole: torch.Tensor) -> torch.Tensor:
    marks = torch.cat([seen.concepts, seen.figures], 1)
    *_, place, style = whole.unbind(1)
    return (
        8 * functional.binary_cross_entropy_with_logits(marks, whole[:, :-2].float())
        + 0.3 * functional.cross_entropy(seen.place, place)
        + 0.3 * functional.cross_entropy(seen.style, style)
    )
