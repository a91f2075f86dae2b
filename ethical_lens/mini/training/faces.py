"""The face reader, trained on balanced drawings that are made worse. See `image.faces`."""

from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from ethical_lens.image.faces import (
    CLASSIFIER,
    CONFIG,
    DETECTOR,
    STRIDE,
    FaceClassifier,
    FaceDetector,
    FacesConfig,
    crops,
)
from ethical_lens.mini.training.augment import moved, worsened
from ethical_lens.mini.training.boxes import face_boxes, heat
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.scene import GENDERS, RACES, Person
from ethical_lens.results import LifeStage

SEED: Final = 601
_STEPS: Final = 600
_COUNT: Final = 12_288
_PICTURES: Final = 32
_FACES: Final = 96
_UNSEEN: Final = -1
NAMES: Final = FacesConfig(genders=GENDERS, races=RACES, stages=tuple(LifeStage))


def train_faces(work: Path, out: Path, *, steps: int = _STEPS, count: int = _COUNT) -> None:
    """Train detector and classifier on `count` drawings and write the folder `out`.

    `work` keeps drawings and the state of a run that was interrupted.
    """
    train_detector(work, out, steps=steps, count=count)
    train_classifier(work, out, steps=steps, count=count)


def train_detector(work: Path, out: Path, *, steps: int = _STEPS, count: int = _COUNT) -> None:
    """Train the detector on all faces, those of figures too."""
    drawings, boxes = _drawn(work, count)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        detector = FaceDetector().to(memory_format=torch.channels_last)

    def loss_at(step: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + step)
        chosen = torch.randint(count, (_PICTURES,), generator=generator)
        pictures, move = moved(_pictures(drawings, chosen), generator, strength=1.5)
        corners = move.points(boxes[chosen].reshape(_PICTURES, -1, 2)).clamp(0, SIZE)
        pictures = worsened(pictures, generator).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits, sides = detector(pictures)
        return _detection_loss(logits.float(), sides, corners.reshape(_PICTURES, -1, 4))

    train("faces-detector", [detector], Schedule(steps, rate=3e-3), loss_at, work)
    write(detector, out, DETECTOR)


def train_classifier(work: Path, out: Path, *, steps: int = _STEPS, count: int = _COUNT) -> None:
    """Train the classifier on faces that are nobody's of name, in boxes that are a little off."""
    drawings, boxes = _drawn(work, count)
    rows, labels = [], []
    for i, scene in enumerate(drawings):
        for j, person in enumerate(scene.people):
            if person.figure is None:
                rows.append((i, j))
                labels.append(_label(person))
    faces, truth = torch.tensor(rows), torch.tensor(labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED + 1)
        classifier = FaceClassifier(NAMES).to(memory_format=torch.channels_last)

    def loss_at(step: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed((SEED + 1) * 1_000_003 + step)
        chosen = torch.randint(len(faces), (_FACES,), generator=generator)
        which, number = faces[chosen].unbind(1)
        pictures = worsened(_pictures(drawings, which), generator)
        near = _a_little_off(boxes[which, number], generator)
        seen = crops(pictures, torch.arange(_FACES), near, NAMES.crop, NAMES.margin)
        with torch.autocast("cpu", torch.bfloat16):
            odds = classifier(seen.to(memory_format=torch.channels_last))
        loss = torch.zeros(())
        for logits, answers in zip(odds, truth[chosen].unbind(1), strict=True):
            loss = loss + functional.cross_entropy(logits.float(), answers, ignore_index=_UNSEEN)
        return loss

    train("faces-classifier", [classifier], Schedule(steps, rate=2e-3), loss_at, work)
    write(classifier, out, CLASSIFIER)


def _drawn(work: Path, count: int) -> tuple[Drawings, torch.Tensor]:
    drawings = Drawings(work / "drawings", "balanced", SEED, count)
    return drawings, torch.from_numpy(face_boxes(drawings))


def _pictures(drawings: Drawings, chosen: torch.Tensor) -> torch.Tensor:
    pictures = torch.from_numpy(drawings.pictures[chosen.numpy()])
    return pictures.permute(0, 3, 1, 2).float() / 255


def _label(person: Person) -> tuple[int, int, int]:
    return (
        GENDERS.index(person.gender),
        RACES.index(person.race),
        tuple(LifeStage).index(person.stage),
    )


def _detection_loss(logits: torch.Tensor, sides: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Presence in every cell; the distances to the sides in the cells near a face's middle.

    `boxes` (n, people, 4) in pixels, NaN where there is nobody.
    """
    cells = logits.shape[-1]
    middles = boxes.unflatten(2, (2, 2)).mean(2)
    warm = heat(middles / STRIDE, cells)
    presence = functional.binary_cross_entropy_with_logits(logits, warm, reduction="sum")
    centres = (torch.arange(cells) + 0.5) * STRIDE
    x, y = centres.expand(cells, cells), centres[:, None].expand(cells, cells)
    away = (middles[:, :, :, None, None] - torch.stack([x, y])).square().sum(2)
    nearest = away.nan_to_num(torch.inf).argmin(1)  # (n, cells, cells): whose cell it is
    own = boxes.nan_to_num(0.0)[torch.arange(len(boxes))[:, None, None], nearest]
    left, top, right, bottom = own.unbind(3)
    truth = torch.stack([x - left, y - top, right - x, bottom - y], 1)
    size = (right - left).clamp_min(STRIDE)[:, None]
    off = ((sides - truth).abs() / size).mean(1) * (warm > 0.2)
    return presence / len(boxes) + 20 * off.sum() / (warm > 0.2).sum().clamp_min(1)


def _a_little_off(boxes: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Boxes (k, 4) as a detector gives them: every side off by up to a tenth of the width."""
    width = boxes[:, 2:3] - boxes[:, :1]
    return boxes + 0.1 * width * (2 * torch.rand(boxes.shape, generator=generator) - 1)


def write(module: nn.Module, out: Path, name: str) -> None:
    """The weights as float16, and the config beside them."""
    out.mkdir(parents=True, exist_ok=True)
    state = module.state_dict()
    save_file(
        {k: v.half().contiguous() if v.is_floating_point() else v for k, v in state.items()},
        out / name,
    )
    (out / CONFIG).write_text(NAMES.model_dump_json(indent=2) + "\n", encoding="utf-8")
