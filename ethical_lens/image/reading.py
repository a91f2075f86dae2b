"""A file or an image in memory, which may be anything, to a picture that scrutiny can take."""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from ethical_lens.image.errors import UnreadablePicture
from ethical_lens.image.sniffing import DAMAGED, must_be_one, picture_opened

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""Names of picture files, in lower case."""


def read_picture(source: Path | bytes) -> Image.Image:
    """The picture in a file, or in a file's bytes, as RGB and the right way up.

    PNG, JPEG, WebP, GIF, BMP and TIFF. EXIF's turn is applied; palettes, CMYK, 1 and 16 bits
    become 8-bit RGB. Transparency is laid on white: what is shown later must be the picture that
    was read, not the file, which may look different on another ground.

    Raises `PictureTooLarge` above `MOST_PIXELS` or `LONGEST`, before anything is decoded;
    `SeveralPictures` for animations and several pages; `UnreadablePicture` for all else that is
    missing, truncated, or no picture.
    """
    with picture_opened(source) as image:
        return _as_shown(image)


def read_mask(source: Path | bytes) -> Image.Image:
    """The mask in a file, as "L": white where a picture is to be painted anew, else black.

    That is where the file is transparent; where nothing of it is, where it is white. Raises what
    `read_picture` raises.
    """
    with picture_opened(source) as image:
        if image.has_transparency_data:
            anew = ImageOps.invert(ImageOps.exif_transpose(image).convert("RGBA").getchannel("A"))
        else:
            anew = _as_shown(image).convert("L")
        return anew.point(lambda value: 255 if value >= 128 else 0)


def as_picture(image: Image.Image) -> Image.Image:
    """`image` as `read_picture` would give it: RGB and the right way up, in bounded memory.

    What is so already comes back as it is, not as a copy. Raises what `read_picture` raises; the
    rest of a file that was opened lazily is decoded here.
    """
    try:
        if not min(image.size):
            raise UnreadablePicture(f"has {image.width}x{image.height} pixels")
        must_be_one(image)
        return _as_shown(image)
    except DAMAGED as error:
        raise UnreadablePicture(f"cannot be read: {error}") from error


def _as_shown(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data and not image.getexif():
        image.load()
        return image
    return _rgb(ImageOps.exif_transpose(image))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in {"I", "F"}:
        raise UnreadablePicture("has 32 bits per pixel and no known range; save it with 8 or 16")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
