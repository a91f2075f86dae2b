"""What a moderator sees of a picture before asking for more: a blurred, grey trace of it."""

import io
from typing import Final
from uuid import UUID

from PIL import Image, ImageFilter, UnidentifiedImageError

from jobs.models import Picture, PictureVersion
from jobs.states import PictureStatus
from jobs.storage import object_get

DETAIL_SIDE: Final = 12
"""Pixels of the longer side that survive: light and dark, no outline of anybody."""
PREVIEW_SIDE: Final = 256
SMOOTHING_RADIUS: Final = 14


class PictureUnreadable(Exception):
    """The stored bytes are no picture."""


def preview_make(png: bytes, *, colours: bool = False) -> bytes:
    """A PNG of `png` in shades of grey, its longer side 256 pixels, blurred past recognition. With
    `colours` it is as blurred, and not grey.

    Nothing of the file but its pixels is read, so that no text chunk survives.
    Raises `PictureUnreadable`.
    """
    try:
        with Image.open(io.BytesIO(png)) as picture:
            seen = picture.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise PictureUnreadable(str(error)) from error
    if not colours:
        seen = seen.convert("L")
    trace = seen.resize(_fitted(seen.size, DETAIL_SIDE), Image.Resampling.BOX)
    enlarged = trace.resize(_fitted(seen.size, PREVIEW_SIDE), Image.Resampling.BICUBIC)
    clean = Image.new(seen.mode, enlarged.size)
    clean.paste(enlarged.filter(ImageFilter.GaussianBlur(SMOOTHING_RADIUS)))
    out = io.BytesIO()
    clean.save(out, "PNG")
    return out.getvalue()


def version_of(picture: Picture, version_id: UUID | None) -> PictureVersion | None:
    """That version of the picture, or its current one; None where there is none."""
    if version_id is None:
        return picture.current
    return picture.versions.filter(pk=version_id).first()


def is_out(picture: Picture, version: PictureVersion) -> bool:
    """Whether this very version was released. Earlier rounds of a released picture never were."""
    return picture.status == PictureStatus.RELEASED and picture.current_id == version.id


def preview_read(picture: Picture, version: PictureVersion, *, colours: bool = False) -> bytes:
    """The PNG to show unasked: the picture itself where it is out, else its blurred trace.

    Raises `jobs.storage.StorageError`, `PictureUnreadable`.
    """
    if is_out(picture, version):
        return object_get(picture.released_key, sha256=version.sha256)
    return preview_make(object_get(version.key, sha256=version.sha256), colours=colours)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
