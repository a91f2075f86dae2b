"""The blur of a region."""

import numpy as np
import pytest
from PIL import Image

from ethical_lens.image.blur import blur_region, scaled
from ethical_lens.policy import BlurSettings


@pytest.fixture
def noise() -> Image.Image:
    values = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture
def mask() -> np.ndarray:
    found = np.zeros((64, 96), dtype=np.bool_)
    found[10:40, 50:90] = True
    return found


def test_only_the_region_changes(noise: Image.Image, mask: np.ndarray) -> None:
    before = np.asarray(noise).copy()

    after = np.asarray(blur_region(noise, mask, BlurSettings()))

    assert (np.asarray(noise) == before).all()
    assert (after[~mask] == before[~mask]).all()
    assert after[mask].std() < before[mask].std() / 4


def test_a_larger_radius_leaves_less(noise: Image.Image, mask: np.ndarray) -> None:
    left = [
        np.asarray(blur_region(noise, mask, BlurSettings(radius=radius)))[mask].std()
        for radius in (4, 20, 100)
    ]

    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 3


def test_transparency_is_dropped(noise: Image.Image, mask: np.ndarray) -> None:
    assert blur_region(noise.convert("RGBA"), mask, BlurSettings()).mode == "RGB"


def test_a_mask_of_another_size_is_refused(noise: Image.Image) -> None:
    with pytest.raises(ValueError, match="mask"):
        blur_region(noise, np.ones((96, 64), dtype=np.bool_), BlurSettings())


@pytest.mark.parametrize(
    ("size", "expected"),
    [((512, 512), 20), ((512, 900), 20), ((1024, 2000), 40), ((64, 64), 3), ((8, 8), 1)],
)
def test_lengths_grow_with_the_shorter_side(size: tuple[int, int], expected: int) -> None:
    assert scaled(20, Image.new("RGB", size)) == expected
