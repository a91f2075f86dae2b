"""Drawings for training, made once by all cores and kept on disk; scenes follow from a seed."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ethical_lens.mini.world.canvas import SIZE
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

    `seed` separates sets that must share no scene: scene i of seed s is drawn from (s, i).
    """

    def __init__(self, folder: Path, world: str, seed: int, count: int) -> None:
        self.world, self.seed = world, seed
        self._count = count
        self._file = folder / f"{world}-{seed}-{count}.npy"
        if not self._file.exists():
            _draw_all(self._file, world, seed, count)
        self.pictures: npt.NDArray[np.uint8] = np.load(self._file, mmap_mode="r")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Scene:  # type: ignore[override]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return scene_at(self.world, self.seed, index)

    def __iter__(self) -> Iterator[Scene]:
        return (self[index] for index in range(self._count))


def scene_at(world: str, seed: int, index: int) -> Scene:
    """The scene at `index` of the set `seed`."""
    return WORLDS[world](random.Random(f"{world}/{seed}/{index}"))


def _draw_all(file: Path, world: str, seed: int, count: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    pictures = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.uint8, shape=(count, SIZE, SIZE, 3)
    )
    starts = range(0, count, _CHUNK)
    # Not forked: the parent may hold torch's threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        chunks = pool.map(
            _draw_chunk, [(world, seed, start, min(_CHUNK, count - start)) for start in starts]
        )
        progress = tqdm(
            zip(starts, chunks, strict=True), total=len(starts), desc=f"drawing {file.stem}"
        )
        for start, chunk in progress:
            pictures[start : start + len(chunk)] = chunk
    pictures.flush()
    partial.rename(file)


def _draw_chunk(job: tuple[str, int, int, int]) -> npt.NDArray[np.uint8]:
    world, seed, start, count = job
    return np.stack(
        [np.asarray(draw(scene_at(world, seed, start + i)).picture) for i in range(count)]
    )
