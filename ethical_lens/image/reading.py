"""A file or an image in memory, which may be anything, to a picture that scrutiny can take."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ethical_lens.image.errors import PictureTooLarge, SeveralPictures, UnreadablePicture
from ethical_lens.image.views import LONGEST

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""Names of picture files, in lower case."""
MOST_PIXELS: Final = 50_000_000
"""Pixels of the largest picture that is read: 150 MB as RGB, up to 600 MB while it is converted."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_FAILURES: Final = (
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


def read_picture(source: Path | bytes) -> Image.Image:
    """The picture in a file, or in a file's bytes, as RGB and the right way up.

    PNG, JPEG, WebP, GIF, BMP and TIFF. EXIF's turn is applied; palettes, CMYK, 1 and 16 bits
    become 8-bit RGB. Transparency is laid on white: what is shown later must be the picture that
    was read, not the file, which may look different on another ground.

    Raises `PictureTooLarge` above `MOST_PIXELS` or `LONGEST`, before anything is decoded;
    `SeveralPictures` for animations and several pages; `UnreadablePicture` for all else that is
    missing, truncated, or no picture.
    """
    try:
        with Image.open(
            BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS
        ) as image:
            return _as_shown(image)
    except UnidentifiedImageError as error:
        raise UnreadablePicture("is no PNG, JPEG, WebP, GIF, BMP or TIFF") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"has more than {MOST_PIXELS:,} pixels; scale it down") from error
    except _FAILURES as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UnreadablePicture(f"cannot be read: {why}") from error


def as_picture(image: Image.Image) -> Image.Image:
    """`image` as `read_picture` would give it: RGB and the right way up, in bounded memory.

    What is so already comes back as it is, not as a copy. Raises what `read_picture` raises; the
    rest of a file that was opened lazily is decoded here.
    """
    try:
        if not min(image.size):
            raise UnreadablePicture(f"has {image.width}x{image.height} pixels")
        return _as_shown(image)
    except _FAILURES as error:
        raise UnreadablePicture(f"cannot be read: {error}") from error


def _as_shown(image: Image.Image) -> Image.Image:
    _must_fit(image)
    # MPO is a photograph with previews or depth behind it; every viewer shows the first.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise SeveralPictures(
            "holds several pictures (an animation or pages); give each as a file of its own"
        )
    if image.mode == "RGB" and not image.has_transparency_data and not image.getexif():
        image.load()
        return image
    return _rgb(ImageOps.exif_transpose(image))


def _must_fit(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureTooLarge(
            f"has {width}x{height} pixels; at most {MOST_PIXELS:,} are read: scale it down"
        )
    if max(width, height) > LONGEST * min(width, height):
        raise PictureTooLarge(
            f"has {width}x{height} pixels; one side may be {LONGEST} times the other: cut it"
        )


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in {"I", "F"}:
        raise UnreadablePicture("has 32 bits per pixel and no known range; save it with 8 or 16")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
