"""Near-identical pictures, by PDQ hashes of 256 bits (Facebook, The TMK+PDQF Video-Hashing
Algorithm and the PDQ Image-Hashing Algorithm, 2019), which are alike up to 31 differing bits.

Found by an index: a hash is cut into 16 bands of 16 bits. Where at most 31 of 256 bits differ, one
band differs by one bit at most, for 16 bands with two each would make 32. So whoever shares no band
with one of the 17 neighbours of each of ours is no match, and none is missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from desk.models import PictureHash
from jobs.models import Picture

BITS: Final = 256
BAND: Final = 16
ALIKE: Final = 31
"""Differing bits at which PDQ calls pictures the same."""
LOOKED_AT: Final = 500
"""Candidates that are compared, the newest first."""


@dataclass(frozen=True, slots=True)
class NearPicture:
    """A picture that is nearly the same: `distance` is how many of 256 bits differ."""

    picture_id: UUID
    distance: int


def bands_of(pdq: bytes) -> list[int]:
    """The 16 bands of a hash of 32 bytes, each told apart by its place."""
    return [
        place << BAND | int.from_bytes(pdq[2 * place : 2 * place + 2], "big")
        for place in range(BITS // BAND)
    ]


def neighbours(pdq: bytes) -> list[int]:
    """Every band that differs from one of the hash's by one bit at most."""
    return [
        changed
        for band in bands_of(pdq)
        for changed in (band, *(band ^ 1 << bit for bit in range(BAND)))
    ]


def distance(one: bytes, other: bytes) -> int:
    """How many bits differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def near_pictures(picture: Picture | None) -> Sequence[NearPicture]:
    """Other pictures whose current version is nearly that of `picture`, the nearest first; none
    where it has no hash."""
    if picture is None or picture.current_id is None:
        return []
    own = PictureHash.objects.filter(pk=picture.current_id).first()
    if own is None:
        return []
    candidates = (
        PictureHash.objects.filter(bands__overlap=neighbours(bytes(own.pdq)))
        .exclude(version__picture=picture.pk)
        .order_by("-version_id")
        .values_list("version__picture_id", "pdq")[:LOOKED_AT]
    )
    found: dict[UUID, int] = {}
    for picture_id, pdq in candidates:
        apart = distance(bytes(own.pdq), bytes(pdq))
        if apart <= ALIKE:
            found[picture_id] = min(apart, found.get(picture_id, apart))
    return [NearPicture(*pair) for pair in sorted(found.items(), key=lambda pair: pair[1])]
