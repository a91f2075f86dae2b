"""Which region is where in `Drawings`, made once and kept beside the pictures."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.drawing import Drawing, draw
from ethical_lens.mini.world.scene import Figure, Scene

REGIONS: Final = ("nude body", "face", *(f"{figure.value}'s face" for figure in Figure))
"""The regions of the world; the position of each is its bit in a map of regions."""

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


def region_maps(drawings: Drawings) -> Map:
    """Maps of all `drawings`, (count, 96, 96), made once and kept beside the pictures."""
    return drawings.of_each("regions", _map)


def _map(scene: Scene) -> Map:
    return region_map(draw(scene))
