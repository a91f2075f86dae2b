"""What a moderator sees of a picture before asking for more: a blurred, grey trace of it.

What was sent may have 50 megapixels. A JPEG is decoded at a fraction of that; of other large
pictures a process has one at a time in memory.
"""

import functools
import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final
from uuid import UUID

from PIL import ExifTags, Image, ImageChops, ImageFilter

from ethical_lens.image.errors import UnreadablePicture
from ethical_lens.image.reading import as_picture, read_mask
from ethical_lens.image.sniffing import picture_opened
from jobs.models import Picture, PictureVersion, SentPicture
from jobs.states import PictureStatus
from jobs.storage import object_get

DETAIL_SIDE: Final = 12
"""Pixels of the longer side that survive: light and dark, no outline of anybody."""
PREVIEW_SIDE: Final = 256
SMOOTHING_RADIUS: Final = 14
MASKED: Final = (249, 115, 22)
"""The colour that lies over what is to be painted anew, or was changed, half transparent."""
LARGE: Final = 4_000_000
"""Pixels from which on pictures are decoded one at a time: 12 MB as RGB."""
_one_large: Final = threading.RLock()


class PictureUnreadable(Exception):
    """The stored bytes are no picture."""


def preview_make(png: bytes, *, colours: bool = False) -> bytes:
    """A PNG of `png` in shades of grey, its longer side 256 pixels, blurred past recognition. With
    `colours` it is as blurred, and not grey.

    Nothing of the file but its pixels is read, so that no text chunk survives.
    Raises `PictureUnreadable`.
    """
    with _decoded(png, at_least=PREVIEW_SIDE) as seen:
        return _encoded(_trace(seen if colours else seen.convert("L"), seen.size))


def _trace(seen: Image.Image, size: tuple[int, int]) -> Image.Image:
    """As it looks where it fills a picture of that size."""
    trace = seen.resize(_fitted(size, DETAIL_SIDE), Image.Resampling.BOX)
    enlarged = trace.resize(_fitted(size, PREVIEW_SIDE), Image.Resampling.BICUBIC)
    clean = Image.new(seen.mode, enlarged.size)
    clean.paste(enlarged.filter(ImageFilter.GaussianBlur(SMOOTHING_RADIUS)))
    return clean


def _encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def version_of(picture: Picture, version_id: UUID | None) -> PictureVersion | None:
    """That version of the picture, or its current one; None where there is none."""
    if version_id is None:
        return picture.current
    return picture.versions.filter(pk=version_id).first()


def is_out(picture: Picture, version: PictureVersion) -> bool:
    """Whether this very version was released. Earlier rounds of a released picture never were."""
    return picture.status == PictureStatus.RELEASED and picture.current_id == version.id


def preview_read(
    picture: Picture, version: PictureVersion, *, blurred: bool = False, colours: bool = False
) -> bytes:
    """The PNG to show unasked: the picture itself where it is out, else its blurred trace;
    `blurred`: the trace in any case.

    Raises `jobs.storage.StorageError`, `PictureUnreadable`.
    """
    if is_out(picture, version) and not blurred:
        return object_get(picture.released_key, sha256=version.sha256)
    return preview_make(object_get(version.key, sha256=version.sha256), colours=colours)


def sent_read(sent: SentPicture) -> bytes:
    """A PNG of the picture that was sent, as scrutiny reads it: pixels, and nothing else.

    Raises `jobs.storage.StorageError`, `PictureUnreadable`.
    """
    with _decoded(object_get(sent.key, sha256=sent.sha256)) as seen:
        return _encoded(seen)


def sent_preview_read(sent: SentPicture, *, colours: bool = False) -> bytes:
    """The blurred trace of a picture or mask that was sent. Raises as `sent_read`."""
    return preview_make(object_get(sent.key, sha256=sent.sha256), colours=colours)


def mask_overlay_read(mask: SentPicture, picture: SentPicture) -> bytes:
    """What a mask lets be painted anew, to be laid over the preview of its picture: a half
    transparent colour, as blurred as that, for a mask may show something, too.

    Raises as `sent_read`.
    """
    of_mask = object_get(mask.key, sha256=mask.sha256)
    of_picture = object_get(picture.key, sha256=picture.sha256)
    with _readable(), _room(_size(of_mask)):
        return _encoded(_overlay(read_mask(of_mask), _size(of_picture)))


def change_overlay_read(before: PictureVersion, after: PictureVersion) -> bytes:
    """Where `after` is not `before`: what was blurred, or painted anew in an edit, to be laid over
    its preview like a mask. All is transparent where the two have different sizes.

    Raises as `sent_read`.
    """
    old, new = (object_get(one.key, sha256=one.sha256) for one in (before, after))
    with _decoded(old) as was, _decoded(new) as now:
        changed = Image.new("L", now.size)
        if was.size == now.size:
            apart = ImageChops.difference(was, now)
            most = functools.reduce(ImageChops.lighter, apart.split())
            changed = most.point(lambda value: 255 if value else 0)
        return _encoded(_overlay(changed, now.size))


def changed_from(
    version: PictureVersion, versions: Iterable[PictureVersion]
) -> PictureVersion | None:
    """The version that a blurred or edited one was made of: the one before it among `versions`, all
    of its picture; None of one that was painted."""
    if version.kind == PictureVersion.Kind.PAINTED:
        return None
    earlier = [one for one in versions if one.id < version.id]
    return max(earlier, key=lambda one: one.id, default=None)


def _overlay(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    trace = _trace(mask, size)
    overlay = Image.new("RGBA", trace.size, MASKED)
    overlay.putalpha(trace.point(lambda value: value // 2))
    return overlay


@contextmanager
def _decoded(content: bytes, *, at_least: int = 0) -> Iterator[Image.Image]:
    """The picture as scrutiny reads it; with `at_least` it may be smaller, as long as its shorter
    side has so many pixels."""
    with _readable(), picture_opened(content) as image:
        whole = image.size
        if at_least:
            image.draft(None, (at_least, at_least))
        # Of a progressive JPEG libjpeg has all in memory, whatever is asked for.
        with _room(whole if "progressive" in image.info else image.size):
            yield as_picture(image)


def _room(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Of large pictures one is decoded at a time."""
    return _one_large if size[0] * size[1] >= LARGE else nullcontext()


def _size(content: bytes) -> tuple[int, int]:
    """Width and height of the picture, turned as it is shown; nothing is decoded."""
    with picture_opened(content) as image:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (image.height, image.width) if turned else image.size


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UnreadablePicture as error:
        raise PictureUnreadable(f"The picture {error}") from error


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
