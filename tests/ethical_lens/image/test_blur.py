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


def test_a_radius_too_small_for_the_region_is_not_taken(
    noise: Image.Image, mask: np.ndarray
) -> None:
    weak, published, strong = (
        blur_region(noise, mask, BlurSettings(radius=radius)).tobytes() for radius in (1, 20, 256)
    )

    assert weak == published != strong


@pytest.mark.parametrize("side", [8, 24, 60])
def test_the_blur_grows_with_the_region(side: int) -> None:
    """Stripes, three across the region whatever its size: none is left to be sharpened."""
    stripes = (np.arange(64) * 6 // side % 2 * 255).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(stripes[None, :, None], (64, 64, 3)).copy())
    mask = np.zeros((64, 64), dtype=np.bool_)
    mask[2 : 2 + side, 2 : 2 + side] = True

    after = np.asarray(blur_region(image, mask, BlurSettings(radius=1)))

    inside = after[2 : 2 + side, 2 : 2 + side, 0].mean(axis=0)
    place = np.arange(side)
    stripes_left = inside - np.polyval(np.polyfit(place, inside, 2), place)
    assert np.abs(stripes_left).max() < 3  # of 127 before


def test_the_edge_of_a_picture_is_blurred_too(noise: Image.Image) -> None:
    mask = np.ones((64, 96), dtype=np.bool_)
    after = np.asarray(blur_region(noise, mask, BlurSettings(radius=1)))
    assert after.std() < np.asarray(noise).std() / 10
    assert after[0].std() < np.asarray(noise)[0].std() / 10


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
