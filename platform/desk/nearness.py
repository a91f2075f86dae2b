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

from django.db import connection

from desk.models import PictureHash
from jobs.models import Picture

BITS: Final = 256
BAND: Final = 16
ALIKE: Final = 31
"""Differing bits at which PDQ calls pictures the same."""
COMPARED: Final = 20_000
"""Candidates at most, the newest first. By chance one picture in 240 is one."""
_NEAR: Final = """
WITH candidate AS MATERIALIZED (  -- by the index of bands, whatever the order
  SELECT version_id, pdq FROM desk_picturehash WHERE bands && %(neighbours)s::int[]
), near AS (
  SELECT version_id, distance FROM (
    SELECT version_id,
      bit_count(('x' || encode(pdq, 'hex'))::bit(256) # %(pdq)s::bit(256)) AS distance
    FROM candidate ORDER BY version_id DESC LIMIT %(compared)s
  ) AS newest WHERE distance <= %(alike)s
)
SELECT version.picture_id, min(distance)
FROM near JOIN jobs_pictureversion version ON version.id = near.version_id
WHERE version.picture_id <> %(picture)s
GROUP BY version.picture_id ORDER BY min(distance), version.picture_id
"""


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


def near_pictures(picture: Picture | None) -> Sequence[NearPicture]:
    """Other pictures whose current version is nearly that of `picture`, the nearest first; none
    where it has no hash."""
    if picture is None or picture.current_id is None:
        return []
    own = PictureHash.objects.filter(pk=picture.current_id).first()
    if own is None:
        return []
    pdq = bytes(own.pdq)
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAR,
            {
                "pdq": f"{int.from_bytes(pdq, 'big'):0{BITS}b}",
                "neighbours": neighbours(pdq),
                "picture": picture.pk,
                "compared": COMPARED,
                "alike": ALIKE,
            },
        )
        return [NearPicture(*row) for row in cursor.fetchall()]
