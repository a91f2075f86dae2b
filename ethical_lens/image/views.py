"""The squares of a picture that the encoder looks at."""

import math
from typing import Final

from PIL import Image

LONGEST: Final = 32
"""How many times as long as the other the longer side may be, which is 33 views."""


def square_views(image: Image.Image) -> list[Image.Image]:
    """Squares that together cover `image` (RGB), the centre one first.

    CLIP's preprocessing keeps the centre square and drops the rest: on a 2:3 picture a third
    would never be scrutinised. A square picture is its only view, as in the published method; any
    other has an odd number of views, spread evenly along its longer side.

    Raises `ValueError` for a picture without pixels, and one longer than `LONGEST` allows.
    """
    width, height = image.size
    side, longer = min(width, height), max(width, height)
    if not 0 < longer <= LONGEST * side:
        raise ValueError(f"{width}x{height} is not between 1:{LONGEST} and {LONGEST}:1")
    count = 2 * math.ceil((longer / side - 1) / 2) + 1
    if count == 1:
        return [image]
    starts = [round(i * (longer - side) / (count - 1)) for i in range(count)]
    middle = starts.pop(count // 2)
    return [
        image.crop(
            (start, 0, start + side, side) if width > height else (0, start, side, start + side)
        )
        for start in [middle, *starts]
    ]
