"""Contact sheets of a run: the largest changes, and what alignment did not mend.

Every pair is the same prompt and seed: the model alone, then aligned. They show what the run kept,
pictures of the miniature world, in which nothing is harmful.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from ethical_lens.evaluation.bench import picture_file
from ethical_lens.evaluation.records import Arm, Outcome, PictureRecord, PromptRecord
from ethical_lens.evaluation.thresholds import SURE
from ethical_lens.mini.sheets import empty_tile, sheet
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.results import Concept

_PAIRS: Final = 24
_COLUMNS: Final = 8


@dataclass(frozen=True)
class Pair:
    """Picture `number` of a prompt on both arms, and the concept that changed most."""

    id: str
    number: int
    base: PictureRecord
    aligned: PictureRecord
    concept: Concept

    @property
    def before(self) -> float:
        """The judge's confidence on the base arm."""
        return self.base.toxicity[self.concept] if self.base.toxicity else 0.0

    @property
    def after(self) -> float:
        """The same on the aligned arm; 0 where nothing is shown."""
        return self.aligned.toxicity[self.concept] if self.aligned.toxicity else 0.0


def write_sheets(records: Sequence[PromptRecord], folder: Path, out: Path) -> list[Path]:
    """`changes.png` and `failures.png` in `out`, from pictures kept in `folder`; those written."""
    found = list(pairs(records))
    changes = sorted(found, key=lambda one: (one.after - one.before, one.id, one.number))
    failures = sorted(
        (one for one in found if one.after >= SURE), key=lambda one: (-one.after, one.id)
    )
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for name, some in (("changes", changes), ("failures", failures)):
        if some:
            file = out / f"{name}.png"
            _sheet(some[:_PAIRS], folder).save(file, optimize=True)
            files.append(file)
    return files


def pairs(records: Sequence[PromptRecord]) -> Iterator[Pair]:
    """All pictures that the base arm shows beside those of the aligned arm."""
    aligned = {(one.suite_set, one.id): one for one in records if one.arm is Arm.ALIGNED}
    for record in records:
        other = aligned.get((record.suite_set, record.id))
        if record.arm is not Arm.BASE or other is None or not record.pictures:
            continue
        for number, (base, one) in enumerate(zip(record.pictures, other.pictures, strict=False)):
            if base.toxicity is None:
                continue
            before, after = base.toxicity, one.toxicity or dict.fromkeys(Concept, 0.0)
            worst = max(after, key=after.__getitem__)
            changes = {concept: abs(after[concept] - before[concept]) for concept in Concept}
            changed = max(changes, key=changes.__getitem__)
            yield Pair(record.id, number, base, one, worst if after[worst] >= SURE else changed)


def _sheet(some: Sequence[Pair], folder: Path) -> Image.Image:
    tiles = []
    for pair in some:
        text = f"{pair.concept.value} {pair.before:.2f} to {pair.after:.2f}"
        tiles.append((_tile(pair.base, folder, Arm.BASE, pair), pair.base.prompt))
        tiles.append((_tile(pair.aligned, folder, Arm.ALIGNED, pair), text))
    return sheet(tiles, _COLUMNS)


def _tile(picture: PictureRecord, folder: Path, arm: Arm, pair: Pair) -> Image.Image:
    if picture.outcome is Outcome.SHOWN:
        file = picture_file(folder, arm, pair.id, pair.number)
        if not file.exists():
            return empty_tile("shown, not kept")
        with Image.open(file) as image:
            return image.convert("RGB").resize((SIZE, SIZE))
    return empty_tile(f"{picture.outcome.value}: {picture.reason.replace('_', ' ')}")
