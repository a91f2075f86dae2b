"""What a file says it is, by its first bytes, before anything of it is decoded.

For those who must not decode: no NumPy, no torch, and no more memory than the file takes.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from ethical_lens.image.errors import PictureTooLarge, SeveralPictures, UnreadablePicture
from ethical_lens.image.views import LONGEST

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MOST_PIXELS: Final = 50_000_000
"""Pixels of the largest picture that is read: 150 MB as RGB, up to 600 MB while it is converted."""

DAMAGED: Final = (
    OSError,
    EOFError,
    SyntaxError,  # PIL's word for a broken file
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What PIL raises for damaged files: its readers share no base class."""


@contextmanager
def picture_opened(source: Path | bytes) -> Iterator[Image.Image]:
    """The picture in a file or in its bytes, its header read and found fit; not decoded yet.

    What PIL raises meanwhile, and in the block, is translated. Raises `PictureTooLarge` above
    `MOST_PIXELS` or `LONGEST`; `SeveralPictures` for animations and several pages;
    `UnreadablePicture` for all else that is missing, truncated, or no picture.
    """
    try:
        with Image.open(
            BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as image:
            must_be_one(image)
            yield image
    except UnidentifiedImageError as error:
        raise UnreadablePicture("is no PNG, JPEG, WebP, GIF, BMP or TIFF") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"has more than {MOST_PIXELS:,} pixels; scale it down") from error
    except DAMAGED as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UnreadablePicture(f"cannot be read: {why}") from error


def picture_format(source: Path | bytes) -> str:
    """The format of a picture that may be read, one of PIL's names: by its content, whatever name
    or type it came under. Raises as `picture_opened` does."""
    with picture_opened(source) as image:
        return str(image.format)


def must_be_one(image: Image.Image) -> None:
    """Raises `PictureTooLarge` for an image above `MOST_PIXELS` or `LONGEST`, and
    `SeveralPictures` for an animation or several pages."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureTooLarge(
            f"has {width}x{height} pixels; at most {MOST_PIXELS:,} are read: scale it down"
        )
    if max(width, height) > LONGEST * min(width, height):
        raise PictureTooLarge(
            f"has {width}x{height} pixels; one side may be {LONGEST} times the other: cut it"
        )
    # MPO is a photograph with previews or depth behind it; every viewer shows the first.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise SeveralPictures(
            "holds several pictures (an animation or pages); give each as a file of its own"
        )
