"""How well the face reader reads balanced drawings. The bar is 0.95."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ethical_lens.image.faces import FaceReader
from ethical_lens.image.readings import FaceReading
from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.canvas import Box
from ethical_lens.mini.world.drawing import Face, draw

SEED: Final = 909_101
_BATCH: Final = 64
_SAME: Final = 0.5  # IoU from which on two boxes are of one face


def measure(models: Path, count: int) -> dict[str, Share]:
    """Shares over `count` drawings: `recall` and `precision` of faces, then `gender`, `race` and
    `stage` of those found. What does not show is not asked: the attributes of figures."""
    reader = FaceReader.load(models / "faces", "cpu")
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    for start in range(0, count, _BATCH):
        indices = range(start, min(start + _BATCH, count))
        drawings = [draw(scene_at("balanced", SEED, index)) for index in indices]
        readings = reader.read([drawing.picture for drawing in drawings])
        for drawing, found in zip(drawings, readings, strict=True):
            for name, right in _answers(drawing.faces, found):
                answers[name].append(right)
    return shares(answers)


def _answers(faces: Sequence[Face], found: Sequence[FaceReading]) -> Iterator[tuple[str, bool]]:
    left = list(found)
    for face in faces:
        reading = max(left, key=lambda some: overlap(some.box, face.box), default=None)
        hit = reading is not None and overlap(reading.box, face.box) >= _SAME
        yield "recall", hit
        if reading is None or not hit:
            continue
        left.remove(reading)
        yield "precision", True
        person = face.person
        if person.figure is not None:
            continue
        yield "gender", reading.gender.best == person.gender
        yield "race", reading.race.best == person.race
        yield "stage", reading.stage.best is person.stage
    for _ in left:
        yield "precision", False


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return shared / (areas - shared)
