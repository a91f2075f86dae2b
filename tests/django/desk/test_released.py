"""People look at what is out: a share of it, and what platforms report."""

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from desk.choosing import choice_make, choices_settle
from desk.models import ItemKind, ReviewItem, Verdict
from desk.second_looks import golden_add
from desk.taking import item_open
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from factories import make_tenant
from jobs.models import Picture
from jobs.storage import ObjectMissing, object_get
from moderation.models import RawPictureView, ReportReason
from moderation.released import released_decide
from moderation.reports import report_open
from moderation.review import NotInReview
from review_cases import judged_job, make_user, png, release_run, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=False)]


def out(rate: float = 0.0) -> Picture:
    tenant = make_tenant(Policy(review_rate=rate))
    return judged_job(PictureAction.RELEASE, tenant=tenant).pictures.get()


def test_the_share_that_the_policy_names_is_looked_at_afterwards() -> None:
    assert out().review_items.count() == 0
    item = out(rate=1.0).review_items.get()
    assert (item.kind, item.reason, item.severity) == (ItemKind.SAMPLE, "sampled", 1)


def test_a_report_waits_once_and_a_minor_comes_first() -> None:
    picture = out()
    report_open(picture_id=picture.id, reason=ReportReason.HATE)
    report_open(picture_id=picture.id, reason=ReportReason.HATE, reporter="u2")
    item = picture.review_items.get()
    assert (item.kind, item.reason) == (ItemKind.REPORT, "reported_hate")
    other = out()
    report_open(picture_id=other.id, reason=ReportReason.MINOR)
    assert other.review_items.get().severity == 4


@pytest.mark.parametrize("verdict", [Verdict.ALLOW, Verdict.BLOCK])
def test_a_reported_picture_stays_or_is_withdrawn(
    verdict: Verdict, django_capture_on_commit_callbacks: object
) -> None:
    picture = out(rate=1.0)
    key, sha256 = picture.released_key, picture.current.sha256  # type: ignore[union-attr]
    reports = [
        report_open(picture_id=picture.id, reason=ReportReason.HATE, reporter=who)[0]
        for who in ("u1", "u2")
    ]
    moderator = make_user(group="Moderators")
    item = picture.review_items.get(kind=ItemKind.REPORT)
    item_open(item_id=item.pk, user=moderator)
    choice_make(item_id=item.pk, user=moderator, verdict=verdict, explanation="I looked.")
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        choices_settle()
    picture.refresh_from_db()
    for report in reports:
        report.refresh_from_db()
        assert report.answer is not None
        assert report.answer.actor == moderator
    assert not picture.review_items.filter(closed_at=None).exists(), "the sample is answered, too"
    assert picture.job.status == "succeeded"
    if verdict is Verdict.ALLOW:
        assert (picture.status, picture.released_key) == ("released", key)
        object_get(key, sha256=sha256)
    else:
        assert (picture.status, picture.released_key) == ("withdrawn", "")
        told = picture.job.events.get(type="picture.withdrawn")
        assert told.data["picture"]["explanation"] == "I looked."
        assert told.data["pictures"][0]["status"] == "withdrawn"
        with pytest.raises(ObjectMissing):
            object_get(key, sha256=sha256)


def reported() -> ReviewItem:
    report, _ = report_open(picture_id=out().id, reason=ReportReason.MINOR)
    return report.picture.review_items.get()


def sampled() -> ReviewItem:
    return out(rate=1.0).review_items.get()


def golden() -> ReviewItem:
    """Of a picture that a person let out."""
    picture = reviewed_picture()
    item = item_open(item_id=picture.review_items.get().pk, user=make_user(group="Moderators"))
    assert item.holder
    choice_make(item_id=item.pk, user=item.holder, verdict=Verdict.ALLOW, explanation="It is fine.")
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    release_run(picture.job)
    return golden_add(item_id=item.pk)


@pytest.mark.parametrize("waiting", [reported, sampled, golden])
def test_what_is_out_is_a_trace_on_the_desk_and_shown_by_a_recorded_look(
    waiting: Callable[[], ReviewItem],
) -> None:
    item, moderator, client = waiting(), make_user(group="Moderators"), Client()
    assert item.picture is not None
    assert item.picture.status == "released"
    client.force_login(moderator)
    item_open(item_id=item.pk, user=moderator)
    page = client.get(reverse("desk:item", args=[item.pk])).content.decode()
    (preview,) = re.findall(r'<img src="([^"]+)"', page)
    shown = Image.open(io.BytesIO(client.get(unescape(preview)).content))
    assert (shown.mode, shown.size) == ("L", (256, 256)), "grey, and not the picture of 64 pixels"
    assert not RawPictureView.objects.filter(user=moderator).exists()
    raw = reverse("moderation:picture_raw", args=[item.picture_id])
    assert f'data-raw="{raw}"' in page
    assert f'data-reveal="{item.picture.current_id}"' in page
    assert client.post(raw, {"version": item.picture.current_id}).content == png(0)
    assert RawPictureView.objects.filter(user=moderator, picture=item.picture).count() == 1


def test_what_is_not_out_is_not_withdrawn() -> None:
    picture = judged_job(PictureAction.BLOCK).pictures.get()
    with pytest.raises(NotInReview):
        released_decide(
            picture_id=picture.id, moderator=make_user(), keep=False, explanation="out with it"
        )
