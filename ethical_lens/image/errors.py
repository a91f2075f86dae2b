"""What can go wrong in picture scrutiny. Whoever catches one of these sends the picture to a
person: without a verdict nothing is released."""

from collections.abc import Iterator
from contextlib import contextmanager

from ethical_lens.failures import RUN_FAILURES


class ScrutinyError(Exception):
    """No verdict could be reached."""


class ScrutinyUnavailable(ScrutinyError):
    """A model of scrutiny is missing, damaged, or does not fit the others."""


class ModelFailed(ScrutinyError):
    """A model failed on a picture: out of memory, or a picture it cannot read."""


class UnreadablePicture(ScrutinyError):
    """The file is missing, damaged, or no picture. `code` is stable."""

    code = "unreadable"


class PictureTooLarge(UnreadablePicture):
    """More pixels than are read, or a side too many times as long as the other."""

    code = "too_large"


class SeveralPictures(UnreadablePicture):
    """An animation or a file of several pages: one verdict cannot speak for all of them."""

    code = "several_pictures"


class UnreadableRegions(ScrutinyError):
    """The segmentation model gave numbers that are not finite."""


@contextmanager
def failures_translated(doing: str) -> Iterator[None]:
    """Turn what torch, PIL and the model libraries raise into `ModelFailed`."""
    try:
        yield
    except RUN_FAILURES as error:
        raise ModelFailed(f"{doing} failed: {error}") from error
