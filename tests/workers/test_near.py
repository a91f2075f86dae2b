"""Hashes of real pictures."""

import numpy as np
from PIL import Image, ImageEnhance

from desk.nearness import ALIKE
from workers.near import pdq_hash


def scene(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (12, 12, 3), dtype=np.uint8))
    return small.resize((256, 256), Image.Resampling.BICUBIC)


def distance(one: bytes, other: bytes) -> int:
    """How many bits differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def test_the_same_picture_smaller_and_brighter_is_near_and_another_is_not() -> None:
    own = pdq_hash(scene(1))
    changed = pdq_hash(ImageEnhance.Brightness(scene(1).resize((180, 180))).enhance(1.15))
    other = pdq_hash(scene(2))
    assert own is not None
    assert changed is not None
    assert other is not None
    assert len(own) == 32
    assert distance(own, changed) <= ALIKE
    assert distance(own, other) > 2 * ALIKE


def test_a_flat_picture_has_no_hash() -> None:
    assert pdq_hash(Image.new("RGB", (64, 64), "grey")) is None
