"""All models of the miniature world, in the order in which one builds on another.

`PARTS` is the whole of it: how each is trained, how it is measured, and what it must reach.
"""

import hashlib
import inspect
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tqdm import tqdm

from ethical_lens.mini import model_sheets, weights
from ethical_lens.mini.bars import Share
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
from ethical_lens.mini.training.drawings import world_version
from ethical_lens.mini.training.faces import train_faces
from ethical_lens.mini.training.heads import train_heads
from ethical_lens.mini.training.judge import train_judge
from ethical_lens.mini.training.regions import train_regions
from ethical_lens.mini.training.scrutiny import shared_tokenizer
from ethical_lens.mini.world.scene import Figure
from ethical_lens.results import Concept
from ethical_lens.sources import digest_of

DRAWN: Final = 1000
"""So many drawings, or painted pictures, measure a part unless told otherwise."""


@dataclass(frozen=True)
class Part:
    """One model. `train(work, out)` writes it to `folder` below the folder of all models, and
    keeps drawings and the state of an interrupted run in `work`. `made_of` are the folders of
    other parts it is trained on.

    `measure(models, count)` gives shares by name; `bars` are the least of them that pass.
    `show(models)` gives pictures and what the model makes of each. Parts with bars are installed.
    """

    name: str
    folder: str
    train: Callable[[Path, Path], None]
    made_of: tuple[str, ...] = ()
    measure: Callable[[Path, int], dict[str, Share]] | None = None
    bars: dict[str, float] = field(default_factory=dict)
    show: Callable[[Path], Iterator[model_sheets.Labelled]] | None = None


class Reached(NamedTuple):
    """A share as measured, and the bar it has to reach; 0 where nothing could be asked."""

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
_PAINTED: Final = dict.fromkeys(("kind", *_READ, *(concept.value for concept in Concept)), 0.90)

PARTS: Final = (
    Part("tokenizer", "tokenizer", _train_tokenizer),
    Part("autoencoder", "autoencoder", train_autoencoder),
    Part(
        "judge", "judge", train_judge, (), judge_bars.measure,
        {f"single/{name}": 0.97 for name in ("kind", *_READ)}
        | {f"{concept.value}/{name}": 0.97 for concept in Concept for name in _BOTH}
        | {"people": 0.97},
        model_sheets.judge_sheet,
    ),
    Part(
        "clip", "clip", train_clip, ("tokenizer",), clip_bars.measure,
        {"retrieval": 0.80, "ranking": 0.95},
        model_sheets.clip_sheet,
    ),
    Part(
        "painter", "pipeline", train_diffusion, ("tokenizer", "autoencoder", "clip"),
        painter_bars.measure, _PAINTED, model_sheets.painter_sheet,
    ),
    Part(
        "decoder", "pipeline", train_decoder,
        ("autoencoder", "pipeline/unet", "pipeline/text_encoder"),
        painter_bars.measure, _PAINTED, model_sheets.painter_sheet,
    ),
    Part(
        "regions", "regions", train_regions, ("tokenizer",), regions_bars.measure,
        {
            f"{query}/{name}": bar
            for query in ("nude body", *(f"{figure.value}'s face" for figure in Figure))
            for name, bar in (("iou", 0.70), ("absent", 0.98))
        },
        model_sheets.regions_sheet,
    ),
    Part(
        "faces", "faces", train_faces, (), faces_bars.measure,
        dict.fromkeys((*_BOTH, *_READ), 0.95),
        model_sheets.faces_sheet,
    ),
    Part(
        "heads", "heads", train_heads, ("clip", "pipeline"), heads_bars.measure,
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

    Where a model that a part is made of was not trained here, it is the package's. What a part was
    made of is noted in `work`; it is trained anew where that has changed since, or the note
    `<part>.json` is gone, and goes on where it was interrupted otherwise.
    """
    for part in parts:
        borrow([folder.partition("/")[0] for folder in part.made_of], models)
        note = work / f"{part.name}.json"
        made_of = _made_of(part, models)
        known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
        if known != {"made_of": made_of, "finished": True}:
            if known.get("made_of") != made_of:
                _forget(part, work)
            _write(note, {"made_of": made_of, "finished": False})
            if part.bars:  # what was measured is of another model
                weights.record(models, part.folder, {})
            started = time.monotonic()
            part.train(work, models / part.folder)
            minutes = (time.monotonic() - started) / 60
            tqdm.write(f"{part.name}: trained for {minutes:.1f} minutes")
            _forget(part, work)
            _write(note, {"made_of": made_of, "finished": True})
        yield part


def borrow(folders: Sequence[str], models: Path) -> None:
    """Copy those of the `folders` that `models` does not have from the package."""
    for folder in folders:
        own, packaged = models / folder, weights.FOLDER / _PACKAGED.get(folder, folder)
        if not own.exists():
            shutil.copytree(packaged, own)


_PACKAGED: Final = {"tokenizer": "pipeline/tokenizer", "autoencoder": "pipeline/vae"}
"""Where the package has those that are not installed by themselves."""


def _made_of(part: Part, models: Path) -> str:
    """A digest of the world, of the module that trains a part, and of the models it is made of."""
    module = inspect.getmodule(part.train)
    digests = [digest_of(str(models / folder)) for folder in part.made_of]
    whole = [world_version(), inspect.getsource(module) if module else "", *digests]
    return hashlib.sha256("\0".join(whole).encode()).hexdigest()


def _forget(part: Part, work: Path) -> None:
    """Remove the state of its training."""
    for state in work.glob(f"{part.name}*.state.pt"):
        state.unlink()


def _write(note: Path, content: dict[str, object]) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(content) + "\n", encoding="utf-8")


def write_sheet(part: Part, models: Path, folder: Path) -> Path | None:
    """Draw the contact sheet of a trained part into `folder`, where it has one."""
    if part.show is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{part.name}.png"
    sheet(list(part.show(models)), columns=8).save(file, optimize=True)
    return file


def measured(part: Part, models: Path, count: int) -> list[Reached]:
    """What a part reaches over `count` drawings, by the names that have a bar; noted in `models`.

    Models that it is measured with and that were not trained here are the package's.
    """
    if part.measure is None:
        return []
    borrow([other.folder for other in PARTS if other.measure], models)
    shares = part.measure(models, count)
    found = [
        Reached(part.name, name, shares[name].value if name in shares else 0.0, bar)
        for name, bar in part.bars.items()
    ]
    weights.record(models, part.folder, {one.name: one.share for one in found})
    return found


def passed(part: Part, models: Path) -> bool:
    """Whether what was measured of a part, as noted in `models`, reaches its bars."""
    shares = weights.measured(models).get(part.folder, {})
    return all(shares.get(name, 0.0) >= bar for name, bar in part.bars.items())


def install(part: Part, models: Path) -> bool:
    """Put a part into the package if it reached its bars. Whether it did.

    Raises `FileNotFoundError` where it was not trained.
    """
    good = passed(part, models)
    if good:
        weights.install(models, part.folder, weights.FOLDER)
    return good
