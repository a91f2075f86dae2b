"""The PDQ hash of a picture, by which near-identical ones are found (`desk.nearness`)."""

from typing import Final

import numpy as np
import pdqhash
from PIL import Image

LEAST_QUALITY: Final = 50
"""Of 100. Below it there is too little structure: flat pictures would all be alike."""


def pdq_hash(image: Image.Image) -> bytes | None:
    """32 bytes, or None where the picture has too little structure."""
    bits, quality = pdqhash.compute(np.asarray(image.convert("RGB")))
    if quality < LEAST_QUALITY:
        return None
    return np.packbits(bits.astype(np.uint8)).tobytes()
