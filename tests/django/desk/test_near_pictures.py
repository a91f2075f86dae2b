"""Near-identical pictures are found by an index, and decided together."""

import random

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.identifiers import uuid7
from desk.choosing import choice_make, choices_likewise
from desk.models import PictureHash, ReviewItem, Verdict
from desk.nearness import ALIKE, bands_of, near_pictures, neighbours
from desk.taking import item_open
from ethical_lens.results import PictureAction, PictureVerdict
from jobs.models import Picture, PictureVersion
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from review_cases import SCORES, claimed, make_user, painted_job, release_run

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def apart(pdq: bytes, bits: int, seed: int = 0) -> bytes:
    """The hash with so many bits flipped."""
    number = int.from_bytes(pdq, "big")
    for place in random.Random(seed).sample(range(256), bits):
        number ^= 1 << place
    return number.to_bytes(32, "big")


def held(pdq: bytes | None) -> Picture:
    """A picture in review, scrutinised with this hash."""
    job = painted_job()
    verdict = PictureVerdict(
        action=PictureAction.REVIEW, reason="test", explanation="Look.", scores=SCORES
    )
    picture = job.pictures.get()
    judged = ScrutinisedPicture(picture_id=picture.id, verdict=verdict, pdq=pdq)
    scrutiny_finish({claimed(job, "scrutinise"): [judged]}, model_digests={})
    release_run(job)
    picture.refresh_from_db()
    return picture


@pytest.mark.parametrize("bits", [0, 1, 15, 16, 30, 31])
def test_no_match_is_missed(bits: int) -> None:
    for seed in range(200):
        pdq = random.Random(seed).randbytes(32)
        other = apart(pdq, bits, seed)
        assert set(neighbours(pdq)) & set(bands_of(other))


def test_bits_spread_evenly_are_found_too() -> None:
    pdq = bytes(32)
    other = b"\x01\x01" * 15 + b"\x01\x00"
    assert sum((one ^ two).bit_count() for one, two in zip(pdq, other, strict=True)) == 31
    assert set(neighbours(pdq)) & set(bands_of(other))


def test_what_is_near_is_found_and_nothing_else() -> None:
    pdq = random.Random(5).randbytes(32)
    own = held(pdq)
    near, nearest = held(apart(pdq, ALIKE)), held(apart(pdq, 3))
    held(apart(pdq, ALIKE + 1))
    held(None)
    found = near_pictures(own)
    assert [(one.picture_id, one.distance) for one in found] == [(nearest.id, 3), (near.id, ALIKE)]


def test_an_old_match_is_found_among_many_newer_candidates() -> None:
    pdq = random.Random(15).randbytes(32)
    own, near = held(pdq), held(apart(pdq, 7))
    newer = held(None).current
    assert newer
    copied = PictureVersion.objects.filter(pk=newer.pk).values().get()
    versions = [
        PictureVersion(**copied | {"id": uuid7(), "round": 10 + n, "key": f"quarantine/near/{n}"})
        for n in range(1000)
    ]
    PictureVersion.objects.bulk_create(versions)
    candidate = pdq[:2] + bytes(byte ^ 0xFF for byte in pdq[2:])
    PictureHash.objects.bulk_create(
        PictureHash(version=version, pdq=candidate, bands=bands_of(candidate))
        for version in versions
    )
    assert [one.picture_id for one in near_pictures(own)] == [near.id]


def test_the_search_uses_its_index() -> None:
    own = held(random.Random(6).randbytes(32))
    with CaptureQueriesContext(connection) as statements:
        near_pictures(own)
    search = statements.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "picture_near" in plan


def test_near_ones_are_decided_likewise_and_no_others() -> None:
    pdq = random.Random(7).randbytes(32)
    own, near, other = held(pdq), held(apart(pdq, 4)), held(random.Random(8).randbytes(32))
    items = [picture.review_items.get() for picture in (own, near, other)]
    user = make_user(group="Moderators")
    client = Client()
    client.force_login(user)
    item_open(item_id=items[0].pk, user=user)
    page = client.get(reverse("desk:item", args=[items[0].pk])).content.decode()
    assert str(items[1].pk) in page
    assert str(items[2].pk) not in page
    body = {
        "verdict": "block", "explanation": "The same scene.",
        "likewise": [items[1].pk, items[2].pk], "shown": own.current_id or "",
    }  # fmt: skip
    client.post(reverse("desk:decide", args=[items[0].pk]), body)
    chosen = [item.choices.filter(verdict="block").exists() for item in items]
    assert chosen == [True, True, False]


def test_what_somebody_else_holds_is_left_to_them() -> None:
    pdq = random.Random(9).randbytes(32)
    own, near = (held(one).review_items.get() for one in (pdq, apart(pdq, 2)))
    user, other = make_user(group="Moderators"), make_user(group="Moderators")
    item_open(item_id=near.pk, user=other)
    item_open(item_id=own.pk, user=user)
    choice = choice_make(item_id=own.pk, user=user, verdict=Verdict.BLOCK, explanation="no")
    assert choices_likewise(choice, [near.pk]) == []
    assert ReviewItem.objects.get(pk=near.pk).holder == other
