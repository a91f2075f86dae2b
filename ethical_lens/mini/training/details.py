"""Where a drawing has what is small and matters: faces, bodies, stand-ins for what is unsafe."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Scene

CELLS: Final = 24
"""To a side of a map, as of a latent picture."""

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


def detail_maps(drawings: Drawings) -> Map:
    """Maps of all `drawings`, (count, 24, 24), made once and kept beside the pictures."""
    return drawings.of_each("details", detail_map)
