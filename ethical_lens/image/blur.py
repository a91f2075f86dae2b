"""The repair of a region: a Gaussian blur inside a mask, too strong to be undone."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from ethical_lens.image.reading import as_picture
from ethical_lens.policy import BlurSettings

REFERENCE_SIDE = 512
"""Lengths in `BlurSettings` are pixels on a picture whose shorter side is this."""
STRENGTH: Final = 0.5
"""Least radius, in sides of a square as large as the region. A Gaussian of standard deviation s
leaves exp(-2 (pi f s)^2) of a wave of frequency f. So with half the side 0.7 % is left of one wave
across the region, less than two of 256 levels, and of two waves nothing: no sharpening brings back
what rounding has erased. With a quarter the miniature judge still sees what a body was."""


def blur_region(
    image: Image.Image, mask: npt.NDArray[np.bool_], settings: BlurSettings
) -> Image.Image:
    """A copy of `image` (as `as_picture` gives it) that is blurred where `mask` (height, width) is
    true.

    The radius is that of the settings or `STRENGTH` times the size of the region, whichever is
    larger: a face that fills the picture is as unreadable afterwards as a small one. Outside the
    mask no pixel changes. Raises `ValueError` where the mask has another size.
    """
    sharp = as_picture(image)
    if mask.shape != (sharp.height, sharp.width):
        raise ValueError(f"mask {mask.shape} for a picture of {sharp.height}x{sharp.width}")
    radius = max(scaled(settings.radius, sharp), math.ceil(STRENGTH * math.sqrt(mask.sum())))
    blurred = sharp.filter(ImageFilter.GaussianBlur(radius))
    return Image.composite(blurred, sharp, Image.fromarray(mask.astype(np.uint8) * 255))


def scaled(length: int, image: Image.Image) -> int:
    """`length` of a policy in pixels of `image`, rounded up: a small picture keeps its blur."""
    return math.ceil(length * min(image.size) / REFERENCE_SIDE)
