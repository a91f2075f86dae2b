"""Moderators see what was sent with a job as they see what was painted: blurred and grey, or as it
is with a row that says to whom; with its mask, scores and findings."""

import io

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from desk.models import ReviewItem
from desk.reviewers import settings_of
from factories import make_job
from jobs.models import Job, SentPicture
from jobs.recording.alignment import prompt_hold
from jobs.storage import object_delete
from moderation.models import RawPictureView
from review_cases import claimed, make_user, reviewed_picture
from sent_pictures import harmless, png

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def left_half() -> bytes:
    """A mask that lets the left half be painted anew, twice as large as its picture."""
    mask = Image.new("L", (192, 192), 0)
    mask.paste(255, (0, 0, 96, 192))
    return png(mask)


@pytest.fixture
def held() -> Job:
    """An edit that is held at its prompt, before anything that was sent was judged."""
    job = make_job(picture=harmless(), mask=left_half(), strength=1.0)
    prompt_hold(claim=claimed(job, "align"), reason="align_unreadable", explanation="No verdict.")
    job.refresh_from_db()
    assert job.status == "needs_review"
    return job


@pytest.fixture
def moderator() -> User:
    return make_user(group="Moderators")


@pytest.fixture
def client(moderator: User) -> Client:
    client = Client()
    client.force_login(moderator)
    return client


def url(name: str, sent: SentPicture) -> str:
    return reverse(f"moderation:sent_{name}", args=[sent.pk])


def pixels(content: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert(mode)).astype(float)


def sent_with(job: Job) -> tuple[SentPicture, SentPicture]:
    picture, mask = job.sent.all()
    return picture, mask


def item_of(job: Job) -> str:
    return reverse("desk:item", args=[ReviewItem.objects.get(job=job, closed_at=None).pk])


def test_it_is_grey_and_blurred_unless_asked_for(held: Job, client: Client) -> None:
    for sent in held.sent.all():
        response = client.get(url("preview", sent))
        assert (response.status_code, response["Content-Type"]) == (200, "image/png")
        assert "no-store" in response["Cache-Control"]
        shown = pixels(response.content)
        assert np.ptp(shown, axis=2).max() == 0, "grey: R=G=B"
        assert np.abs(np.diff(shown, axis=1)).mean() < 3
    assert not RawPictureView.objects.filter(sent__job=held).exists()


def test_colours_are_for_those_who_want_them(held: Job, client: Client, moderator: User) -> None:
    own = settings_of(moderator)
    own.colours = True
    own.save()
    picture, _ = sent_with(held)
    assert np.ptp(pixels(client.get(url("preview", picture)).content), axis=2).max() > 0


def test_the_original_is_had_by_a_recorded_post_alone(
    held: Job, client: Client, moderator: User
) -> None:
    picture, mask = sent_with(held)
    assert client.get(url("raw", picture)).status_code == 405
    response = client.post(url("raw", picture))
    assert (pixels(response.content) == pixels(harmless())).all()
    assert "no-store" in response["Cache-Control"]
    view = RawPictureView.objects.get(sent__job=held)
    assert (view.sent, view.picture, view.user) == (picture, None, moderator)
    assert view.object_digest == picture.sha256
    client.post(url("raw", mask))
    assert RawPictureView.objects.filter(sent=mask).count() == 1


def test_a_look_is_at_one_picture(held: Job, moderator: User) -> None:
    picture, _ = sent_with(held)
    for of in ({}, {"sent": picture, "picture": reviewed_picture()}):
        with pytest.raises(IntegrityError, match="looks_are_at_one_picture"), transaction.atomic():
            RawPictureView.objects.create(user=moderator, object_digest="0" * 64, **of)


def test_who_may_not_sees_nothing(held: Job) -> None:
    picture, mask = sent_with(held)
    auditor = Client()
    auditor.force_login(make_user(group="Auditors"))
    assert auditor.get(url("preview", picture)).status_code == 200
    assert auditor.post(url("raw", picture)).status_code == 403
    operator = Client()
    operator.force_login(make_user(group="Operators"))
    assert operator.get(url("preview", picture)).status_code == 403
    assert operator.get(url("overlay", mask)).status_code == 403
    assert Client().get(url("preview", picture)).status_code == 302
    assert not RawPictureView.objects.filter(sent__job=held).exists()


def test_the_mask_lies_over_the_preview_of_its_picture(held: Job, client: Client) -> None:
    picture, mask = sent_with(held)
    overlay = pixels(client.get(url("overlay", mask)).content, "RGBA")
    preview = pixels(client.get(url("preview", picture)).content)
    assert overlay.shape[:2] == preview.shape[:2]
    assert overlay[128, 20, 3] > 110 > 10 > overlay[128, 236, 3], "left: to be painted anew"
    assert client.get(url("overlay", picture)).status_code == 404, "it is no mask"


def test_the_page_of_the_desk_shows_it(held: Job, client: Client) -> None:
    picture, mask = sent_with(held)
    page = client.get(item_of(held)).content.decode()
    assert url("preview", picture) in page
    assert url("preview", mask) in page
    assert url("overlay", mask) in page
    assert f'data-raw="{url("raw", picture)}"' in page
    assert f'data-reveal="{picture.pk}"' in page
    assert (
        "What was sent with it" not in client.get(item_of(reviewed_picture().job)).content.decode()
    )


def test_verdicts_on_it_are_shown_with_scores_and_findings(held: Job, client: Client) -> None:
    held.sent.filter(role="picture").update(
        verdict={
            "action": "block", "explanation": "The picture that was sent shows nsfw.",
            "scores": {"nsfw": 0.93, "nude": 0.12}, "findings": [{"concept": "nsfw"}],
        }
    )  # fmt: skip
    for address in (item_of(held), reverse("admin:jobs_job_change", args=[held.pk])):
        page = client.get(address).content.decode()
        assert "The picture that was sent shows nsfw." in page
        assert "found nsfw" in page
        assert 'aria-label="nsfw: 0.93, threshold 0.70"' in page


def test_the_pages_of_job_and_picture_show_it(client: Client) -> None:
    picture = reviewed_picture()
    sent = make_job(picture=harmless(), strength=0.5).sent.get()
    SentPicture.objects.filter(pk=sent.pk).update(job=picture.job)
    for address in (
        reverse("admin:jobs_job_change", args=[picture.job_id]),
        reverse("admin:jobs_picture_change", args=[picture.pk]),
    ):
        page = client.get(address).content.decode()
        assert url("preview", sent) in page
        assert f'action="{url("raw", sent)}"' in page


def test_what_the_store_lost_is_a_clear_page_and_no_record(held: Job, client: Client) -> None:
    picture, mask = sent_with(held)
    object_delete(picture.key)
    for response in (
        client.get(url("preview", picture)),
        client.get(url("overlay", mask)),
        client.post(url("raw", picture)),
    ):
        assert response.status_code == 502
        assert "cannot be shown" in response.content.decode()
    assert not RawPictureView.objects.filter(sent__job=held).exists()


def test_what_is_still_to_be_fetched_is_named_and_not_shown(held: Job, client: Client) -> None:
    sent = held.sent.create(index=2, url="https://images.example/a.png")
    page = client.get(item_of(held)).content.decode()
    assert "not fetched yet" in page
    assert "https://images.example/a.png" in page
    assert client.get(url("preview", sent)).status_code == 404
    assert client.post(url("raw", sent)).status_code == 404


def test_the_list_of_looks_names_it(held: Job, client: Client) -> None:
    picture, _ = sent_with(held)
    client.post(url("raw", picture))
    lead = Client()
    lead.force_login(make_user(group="Leads"))
    page = lead.get(reverse("admin:moderation_rawpictureview_changelist")).content.decode()
    assert "Picture sent with job" in page
    assert reverse("admin:jobs_job_change", args=[held.pk]) in page
