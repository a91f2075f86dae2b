"""People look at what is out: a share of it, and what platforms report."""

import pytest
from django.utils import timezone

from desk.choosing import choice_make, choices_settle
from desk.models import ItemKind, ReviewItem, Verdict
from desk.taking import item_open
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from factories import make_tenant
from jobs.models import Picture
from jobs.storage import ObjectMissing, object_get
from moderation.models import ReportReason
from moderation.released import released_decide
from moderation.reports import report_open
from moderation.review import NotInReview
from review_cases import judged_job, make_user

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


def test_what_is_not_out_is_not_withdrawn() -> None:
    picture = judged_job(PictureAction.BLOCK).pictures.get()
    with pytest.raises(NotInReview):
        released_decide(
            picture_id=picture.id, moderator=make_user(), keep=False, explanation="out with it"
        )
