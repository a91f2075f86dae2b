"""A region that a moderator drew is made unrecognisable."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, UnidentifiedImageError

from jobs.models import Picture
from jobs.storage import StoredObject, object_get, quarantine_put
from moderation.previews import PictureUnreadable

DETAIL: Final = 4
"""Pixels of the region's longer side that survive: nothing can be brought back."""
SMALLEST: Final = 0.01
"""Of either side of the picture: less is a slip of the mouse."""


class BadRegion(ValueError):
    """The region is none."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle as shares of the picture's width and height, 0 to 1.

    Raises `BadRegion` where it lies outside, or is smaller than a hundredth.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        inside = 0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1
        if not inside or min(self.right - self.left, self.bottom - self.top) < SMALLEST:
            raise BadRegion("Draw the region to blur: a rectangle inside the picture.")


def region_blur(png: bytes, region: Region) -> bytes:
    """A PNG of the same size with `region` reduced to a few tones; nothing of the file but its
    pixels is kept. Raises `PictureUnreadable`."""
    try:
        with Image.open(io.BytesIO(png)) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise PictureUnreadable(str(error)) from error
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    box = (
        int(region.left * clean.width),
        int(region.top * clean.height),
        min(clean.width, round(region.right * clean.width + 0.5)),
        min(clean.height, round(region.bottom * clean.height + 0.5)),
    )
    part = clean.crop(box)
    scale = DETAIL / max(part.size)
    few = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    trace = part.resize(few, Image.Resampling.BOX).resize(part.size, Image.Resampling.BILINEAR)
    clean.paste(trace, box[:2])
    out = io.BytesIO()
    clean.save(out, "PNG")
    return out.getvalue()


def picture_retouch(picture: Picture, region: Region) -> StoredObject:
    """Store the picture, as it now is, with the region blurred; in quarantine, as all of it.

    Raises `jobs.storage.StorageError`, `PictureUnreadable`.
    """
    assert picture.current is not None  # it is in review
    png = object_get(picture.current.key, sha256=picture.current.sha256)
    return quarantine_put(
        job_id=picture.job_id,
        picture_id=picture.id,
        round=picture.round,
        png=region_blur(png, region),
    )
