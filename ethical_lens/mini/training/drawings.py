"""Drawings for training, made once by all cores and kept on disk; scenes follow from a seed."""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ethical_lens.mini import world as world_code
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.sampling import balanced_scene, biased_scene
from ethical_lens.mini.world.scene import Scene

WORLDS: dict[str, Callable[[random.Random], Scene]] = {
    "biased": biased_scene,
    "balanced": balanced_scene,
}
_CHUNK = 256


class Drawings(Sequence[Scene]):
    """`count` scenes of a world, and their pictures as uint8 (count, 96, 96, 3).

    `seed` separates sets that must share no scene: scene i of seed s is drawn from (s, i). What is
    kept in `folder` is named after the code of the world too, so that a change of it is drawn anew.
    """

    def __init__(self, folder: Path, world: str, seed: int, count: int) -> None:
        self.world, self.seed = world, seed
        self._count = count
        self._folder = folder
        self.pictures: npt.NDArray[np.uint8] = self.of_each("pictures", _picture)

    def of_each(self, what: str, compute: Callable[[Scene], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """What `compute` makes of every scene, (count, …), mapped from a file called after `what`.

        The file is made once, by all cores; `compute` is a function of a module and gives arrays
        of one shape.
        """
        file = self.file(what)
        if not file.exists():
            _make(file, compute, self)
        found: npt.NDArray[Any] = np.load(file, mmap_mode="r")
        return found

    def file(self, what: str) -> Path:
        """Where `what` is kept of these drawings, as an array by index."""
        name = f"{self.world}-{self.seed}-{self._count}-{world_version()}.{what}.npy"
        return self._folder / name

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:  # type: ignore[override]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return scene_at(self.world, self.seed, index)

    def __iter__(self) -> Iterator[Scene]:
        return (self[index] for index in range(self._count))


@cache
def world_version() -> str:
    """First 8 hex digits of a SHA-256 over the code that draws and chooses scenes."""
    code = hashlib.sha256()
    for source in sorted(Path(world_code.__path__[0]).glob("*.py")):
        code.update(source.read_bytes())
    return code.hexdigest()[:8]


def scene_at(world: str, seed: int, index: int) -> Scene:
    """The scene at `index` of the set `seed`."""
    return WORLDS[world](random.Random(f"{world}/{seed}/{index}"))


def _make(file: Path, compute: Callable[[Scene], npt.NDArray[Any]], drawings: Drawings) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    count = len(drawings)
    starts = range(0, count, _CHUNK)
    jobs = [
        (compute, drawings.world, drawings.seed, range(start, min(start + _CHUNK, count)))
        for start in starts
    ]
    whole = None
    # Not forked: the parent may hold torch's threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        made = tqdm(pool.map(_chunk, jobs), total=len(jobs), desc=f"drawing {file.stem}")
        for start, chunk in zip(starts, made, strict=True):
            if whole is None:
                whole = np.lib.format.open_memmap(
                    partial, mode="w+", dtype=chunk.dtype, shape=(count, *chunk.shape[1:])
                )
            whole[start : start + len(chunk)] = chunk
    if whole is not None:
        whole.flush()
    partial.rename(file)


def _chunk(
    job: tuple[Callable[[Scene], npt.NDArray[Any]], str, int, range],
) -> npt.NDArray[Any]:
    compute, world, seed, indices = job
    return np.stack([compute(scene_at(world, seed, index)) for index in indices])


def _picture(scene: Scene) -> npt.NDArray[np.uint8]:
    return np.asarray(draw(scene).picture)
