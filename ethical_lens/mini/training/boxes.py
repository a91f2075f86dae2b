"""What detectors learn from: where the faces are in `Drawings`, and what shows of people."""

import numpy as np
import numpy.typing as npt
import torch

from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Scene

PEOPLE = 4
"""The most people a scene has."""


def face_boxes(drawings: Drawings) -> npt.NDArray[np.float32]:
    """Boxes (count, `PEOPLE`, 4), left, top, right, bottom in pixels, in the order of
    `Scene.people`; NaN where there is nobody. Made once and kept beside the pictures."""
    return np.array(drawings.of_each("boxes", _boxes))


def _boxes(scene: Scene) -> npt.NDArray[np.float32]:
    boxes = np.full((PEOPLE, 4), np.nan, np.float32)
    for row, face in enumerate(draw(scene).faces):
        boxes[row] = face.box
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
