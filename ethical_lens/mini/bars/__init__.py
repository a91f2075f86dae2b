"""What each miniature model must reach, measured on drawings that no training has seen.

Every module has `measure(models, count)`: shares by name, for the models in the folder `models`,
over `count` drawings of a seed of its own.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Share(NamedTuple):
    """A share between 0 and 1, and of how many answers."""

    value: float
    answers: int


def shares(answers: Mapping[str, Sequence[float]]) -> dict[str, Share]:
    """The mean of the answers under each name, true being 1."""
    return {name: Share(sum(some) / len(some), len(some)) for name, some in sorted(answers.items())}
