"""What detectors learn from: where the faces are in `Drawings`, and what shows of people."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ethical_lens.mini.training.drawings import Drawings, scene_at
from ethical_lens.mini.world.drawing import draw

PEOPLE = 4
"""The most people a scene has."""
_CHUNK = 512


def face_boxes(folder: Path, drawings: Drawings) -> npt.NDArray[np.float32]:
    """Boxes (count, `PEOPLE`, 4), left, top, right, bottom in pixels, in the order of
    `Scene.people`; NaN where there is nobody. Made once and kept beside the pictures."""
    count = len(drawings)
    file = folder / f"{drawings.world}-{drawings.seed}-{count}.boxes.npy"
    if not file.exists():
        jobs = [
            (drawings.world, drawings.seed, range(start, min(start + _CHUNK, count)))
            for start in range(0, count, _CHUNK)
        ]
        # Not forked: the parent may hold torch's threads.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            boxes = np.concatenate(list(pool.map(_boxes, jobs)))
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial.npy")
        np.save(partial, boxes)
        partial.rename(file)
    found: npt.NDArray[np.float32] = np.load(file)
    return found


def _boxes(job: tuple[str, int, Sequence[int]]) -> npt.NDArray[np.float32]:
    world, seed, indices = job
    boxes = np.full((len(indices), PEOPLE, 4), np.nan, np.float32)
    for row, index in enumerate(indices):
        for column, face in enumerate(draw(scene_at(world, seed, index)).faces):
            boxes[row, column] = face.box
    return boxes


def heat(middles: torch.Tensor, cells: int) -> torch.Tensor:
    """(n, cells, cells): 1 in the cell of a face's middle, falling within a cell around it.

    `middles` (n, people, 2) is in cells, x before y; NaN where there is nobody.
    """
    centres = torch.arange(cells) + 0.5
    across = middles[:, :, 0, None] - centres
    down = middles[:, :, 1, None] - centres
    away = across[:, :, None, :].square() + down[:, :, :, None].square()
    own = (across.abs() <= 0.5)[:, :, None, :] & (down.abs() <= 0.5)[:, :, :, None]
    near = torch.exp(away / (-2 * 0.6**2)).nan_to_num(0.0)
    return torch.where(own, 1.0, near).amax(1)
