"""Which region is where in `Drawings`, made once and kept beside the pictures."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ethical_lens.mini.training.drawings import Drawings, scene_at
from ethical_lens.mini.world.drawing import Drawing, draw
from ethical_lens.mini.world.scene import Figure

REGIONS: Final = ("nude body", "face", *(f"{figure.value}'s face" for figure in Figure))
"""The regions of the world; the position of each is its bit in a map of regions."""
_CHUNK = 512

Map = npt.NDArray[np.uint8]


def bit(region: str) -> int:
    """The value that stands for `region` in a map: of several regions the sum."""
    return 1 << REGIONS.index(region)


def region_map(drawing: Drawing) -> Map:
    """All regions of one drawing, (96, 96)."""
    found = np.zeros((drawing.picture.height, drawing.picture.width), np.uint8)
    for region, mask in drawing.masks.items():
        found[mask] |= bit(region)
    return found


def region_maps(folder: Path, drawings: Drawings) -> Map:
    """Maps of all `drawings`, (count, 96, 96), mapped from a file in `folder`."""
    count = len(drawings)
    file = folder / f"{drawings.world}-{drawings.seed}-{count}.regions.npy"
    if not file.exists():
        jobs = [
            (drawings.world, drawings.seed, range(start, min(start + _CHUNK, count)))
            for start in range(0, count, _CHUNK)
        ]
        # Not forked: the parent may hold torch's threads.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            maps = np.concatenate(list(pool.map(_maps, jobs)))
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npy")
        np.save(partial, maps)
        partial.rename(file)
    found: Map = np.load(file, mmap_mode="r")
    return found


def _maps(job: tuple[str, int, Sequence[int]]) -> Map:
    world, seed, indices = job
    return np.stack([region_map(draw(scene_at(world, seed, index))) for index in indices])
