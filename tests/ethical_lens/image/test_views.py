"""The squares that scrutiny looks at."""

import numpy as np
import pytest
from PIL import Image

from ethical_lens.image.views import square_views


def coordinates(width: int, height: int) -> Image.Image:
    """A picture whose red and green say where each pixel lies."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8))


def test_a_square_picture_is_its_only_view() -> None:
    image = coordinates(64, 64)

    assert square_views(image) == [image]


@pytest.mark.parametrize(
    ("size", "count"),
    [((96, 64), 3), ((64, 96), 3), ((65, 64), 3), ((192, 64), 3), ((193, 64), 5), ((8, 250), 33)],
)
def test_the_views_cover_every_pixel(size: tuple[int, int], count: int) -> None:
    views = square_views(coordinates(*size))

    assert len(views) == count
    assert {view.size for view in views} == {(min(size), min(size))}
    seen = {tuple(pixel) for view in views for pixel in np.asarray(view)[..., :2].reshape(-1, 2)}
    assert len(seen) == size[0] * size[1]


def test_the_first_view_is_the_centre() -> None:
    wide, tall = square_views(coordinates(96, 64))[0], square_views(coordinates(64, 96))[0]

    assert wide.getpixel((0, 0)) == (16, 0, 0)
    assert tall.getpixel((0, 0)) == (0, 16, 0)


@pytest.mark.parametrize("size", [(0, 0), (0, 64), (64, 0), (1, 33), (100_000, 8)])
def test_no_pixels_and_too_many_views_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} is not between 1:32 and 32:1"):
        square_views(Image.new("RGB", size))
