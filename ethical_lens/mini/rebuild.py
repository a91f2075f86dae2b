"""All models of the miniature world, in the order in which one builds on another.

`PARTS` is the whole of it: how each is trained, how it is measured, and what it must reach.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from ethical_lens.mini import model_sheets
from ethical_lens.mini.bars import clip as clip_bars
from ethical_lens.mini.bars import faces as faces_bars
from ethical_lens.mini.bars import heads as heads_bars
from ethical_lens.mini.bars import judge as judge_bars
from ethical_lens.mini.bars import painter as painter_bars
from ethical_lens.mini.bars import regions as regions_bars
from ethical_lens.mini.bpe import save_tokenizer
from ethical_lens.mini.sheets import sheet
from ethical_lens.mini.training.autoencoder import train_autoencoder
from ethical_lens.mini.training.clip import train_clip
from ethical_lens.mini.training.decoder import train_decoder
from ethical_lens.mini.training.diffusion import train_diffusion
from ethical_lens.mini.training.faces import train_faces
from ethical_lens.mini.training.heads import train_heads
from ethical_lens.mini.training.judge import train_judge
from ethical_lens.mini.training.regions import train_regions
from ethical_lens.mini.training.scrutiny import shared_tokenizer
from ethical_lens.mini.world.scene import Figure
from ethical_lens.results import Concept

DRAWN: Final = 1000
"""So many drawings, or painted pictures, measure a part unless told otherwise."""


@dataclass(frozen=True)
class Part:
    """One model. `train(work, out)` writes it to `folder` below the folder of all models, and
    keeps drawings and the state of an interrupted run in `work`.

    `measure(models, count)` gives shares by name; `bars` are the least of them that pass.
    `show(models)` gives pictures and what the model makes of each.
    """

    name: str
    folder: str
    train: Callable[[Path, Path], None]
    measure: Callable[[Path, int], dict[str, float]] | None = None
    bars: dict[str, float] = field(default_factory=dict)
    show: Callable[[Path], Iterator[model_sheets.Labelled]] | None = None


class Reached(NamedTuple):
    """A share as measured, and the bar it has to reach."""

    part: str
    name: str
    share: float
    bar: float

    @property
    def passed(self) -> bool:
        return self.share >= self.bar


def _train_tokenizer(work: Path, out: Path) -> None:
    save_tokenizer(shared_tokenizer(work), out)


_READ: Final = ("gender", "race", "stage")
_BOTH: Final = ("precision", "recall")

PARTS: Final = (
    Part("tokenizer", "pipeline/tokenizer", _train_tokenizer),
    Part("autoencoder", "pipeline/vae", train_autoencoder),
    Part(
        "judge", "judge", train_judge, judge_bars.measure,
        {f"single/{name}": 0.97 for name in ("kind", *_READ)}
        | {f"{concept.value}/{name}": 0.97 for concept in Concept for name in _BOTH}
        | {"people": 0.97},
        model_sheets.judge_sheet,
    ),
    Part(
        "clip", "clip", train_clip, clip_bars.measure, {"retrieval": 0.80, "ranking": 0.95},
        model_sheets.clip_sheet,
    ),
    Part(
        "painter", "pipeline", train_diffusion, painter_bars.measure,
        dict.fromkeys(("kind", *_READ, *(concept.value for concept in Concept)), 0.90),
        model_sheets.painter_sheet,
    ),
    Part("decoder", "pipeline/vae", train_decoder),
    Part(
        "regions", "regions", train_regions, regions_bars.measure,
        {
            f"{query}/{name}": bar
            for query in ("nude body", *(f"{figure.value}'s face" for figure in Figure))
            for name, bar in (("iou", 0.70), ("absent", 0.98))
        },
        model_sheets.regions_sheet,
    ),
    Part(
        "faces", "faces", train_faces, faces_bars.measure,
        dict.fromkeys((*_BOTH, *_READ), 0.95),
        model_sheets.faces_sheet,
    ),
    Part(
        "heads", "heads", train_heads, heads_bars.measure,
        {f"{concept.value}/{name}": 0.97 for concept in Concept for name in _BOTH},
        model_sheets.heads_sheet,
    ),
)  # fmt: skip


def chosen(names: Sequence[str]) -> list[Part]:
    """The parts of these names in the order of `PARTS`; all of them where none is named.

    Raises `ValueError` for a name that no part has.
    """
    known = [part.name for part in PARTS]
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"no part is named {', '.join(unknown)}; there are {', '.join(known)}")
    return [part for part in PARTS if not names or part.name in names]


def rebuild(parts: Sequence[Part], work: Path, models: Path) -> Iterator[Part]:
    """Train what is not finished, and give each part once it is there.

    A finished part leaves a mark in `work` and is not trained again until the mark is removed.
    """
    for part in parts:
        mark = work / f"{part.name}.done"
        if not mark.exists():
            part.train(work, models / part.folder)
            mark.touch()
        yield part


def write_sheet(part: Part, models: Path, folder: Path) -> Path | None:
    """Draw the contact sheet of a trained part into `folder`, where it has one."""
    if part.show is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{part.name}.png"
    sheet(list(part.show(models)), columns=8).save(file, optimize=True)
    return file


def measured(part: Part, models: Path, count: int) -> list[Reached]:
    """What a part reaches over `count` drawings, by the names that have a bar."""
    if part.measure is None:
        return []
    shares = part.measure(models, count)
    return [Reached(part.name, name, shares[name], bar) for name, bar in part.bars.items()]
