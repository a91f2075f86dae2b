"""Where a drawing has what is small and matters: faces, bodies, stand-ins for what is unsafe."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ethical_lens.mini.training.drawings import Drawings, scene_at
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Scene

CELLS: Final = 24
"""To a side of a map, as of a latent picture."""
_CHUNK: Final = 512

Map = npt.NDArray[np.bool_]


def detail_map(scene: Scene) -> Map:
    """(24, 24): true in cells that hold a region of scrutiny or a stand-in, and next to those."""
    drawing = draw(scene)
    pixels = np.zeros((SIZE, SIZE), np.bool_)
    for mask in drawing.masks.values():
        pixels |= mask
    if scene.stand_ins:
        without = np.asarray(draw(replace(scene, stand_ins=frozenset())).picture)
        pixels |= (np.asarray(drawing.picture) != without).any(axis=2)
    each = SIZE // CELLS
    cells = np.pad(pixels.reshape(CELLS, each, CELLS, each).any(axis=(1, 3)), 1)
    rows = cells[:-2] | cells[1:-1] | cells[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def detail_maps(folder: Path, drawings: Drawings) -> Map:
    """Maps of all `drawings`, (count, 24, 24), made once and kept in a file in `folder`."""
    count = len(drawings)
    file = folder / f"{drawings.world}-{drawings.seed}-{count}.details.npy"
    if not file.exists():
        jobs = [
            (drawings.world, drawings.seed, range(start, min(start + _CHUNK, count)))
            for start in range(0, count, _CHUNK)
        ]
        # Not forked: the parent may hold torch's threads.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            np.save(file, np.concatenate(list(pool.map(_maps, jobs))))
    found: Map = np.load(file)
    return found


def _maps(job: tuple[str, int, Sequence[int]]) -> Map:
    world, seed, indices = job
    return np.stack([detail_map(scene_at(world, seed, index)) for index in indices])
