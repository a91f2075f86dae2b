"""A fixed part of a list."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def subset(whole: Sequence[T], share: float) -> list[T]:
    """A fixed `share` (0 to 1] of the list, spread evenly over it."""
    return [one for i, one in enumerate(whole) if int((i + 1) * share) > int(i * share)]
