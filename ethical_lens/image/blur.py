"""The repair of a region: a Gaussian blur inside a mask."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from ethical_lens.policy import BlurSettings

REFERENCE_SIDE = 512
"""Lengths in `BlurSettings` are pixels on a picture whose shorter side is this."""


def blur_region(
    image: Image.Image, mask: npt.NDArray[np.bool_], settings: BlurSettings
) -> Image.Image:
    """A copy of `image` (RGB) that is blurred where `mask` (height, width) is true.

    Outside the mask no pixel changes. Raises `ValueError` where the mask has another size.
    """
    if mask.shape != (image.height, image.width):
        raise ValueError(f"mask {mask.shape} for a picture of {image.height}x{image.width}")
    sharp = image.convert("RGB")
    blurred = sharp.filter(ImageFilter.GaussianBlur(scaled(settings.radius, image)))
    return Image.composite(blurred, sharp, Image.fromarray(mask.astype(np.uint8) * 255))


def scaled(length: int, image: Image.Image) -> int:
    """`length` of a policy in pixels of `image`, rounded up: a small picture keeps its blur."""
    return math.ceil(length * min(image.size) / REFERENCE_SIDE)
