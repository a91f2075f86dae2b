"""What tests of painting ask for, and how they compare pictures."""

from typing import Any

import numpy as np
from PIL import Image

from ethical_lens.generation.request import PaintRequest


def request(seed: int, **changes: Any) -> PaintRequest:
    """Four steps of a doctor at 64x64, unless told otherwise."""
    given = {
        "prompt": "a doctor",
        "seed": seed,
        "width": 64,
        "height": 64,
        "steps": 4,
        "guidance_scale": 5.0,
    }
    return PaintRequest.model_validate(given | changes)


def levels(image: Image.Image) -> np.ndarray[Any, Any]:
    """Pixels, 0 to 255, that can be subtracted."""
    return np.asarray(image).astype(int)
