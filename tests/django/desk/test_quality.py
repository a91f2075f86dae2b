"""Second looks, golden items and agreement."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from config.environment import Environment
from config.identifiers import uuid7
from desk.agreement import agreement_rows, cohens_kappa
from desk.choosing import choice_make, choices_settle
from desk.models import ReviewItem, Verdict
from desk.retouching import Region
from desk.second_looks import NoGoldenItem, drawn, golden_add, is_blind
from desk.taking import NotOpen, item_open
from ethical_lens.results import PictureAction
from jobs.models import Picture
from jobs.storage import object_delete
from moderation.appeals import OwnDecision, appeal_answer, appeals_open
from moderation.models import Appeal
from review_cases import judged_job, make_user, release_run, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def always_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: Environment = settings.ENVIRONMENT
    monkeypatch.setattr(
        settings, "ENVIRONMENT", environment.model_copy(update={"review_second_rate": 1.0})
    )


def choose(item: ReviewItem, verdict: Verdict, user: User | None = None, **repair: Any) -> User:
    """Somebody takes the item and chooses, and the time for undo passes."""
    user = user or make_user(group="Moderators")
    item_open(item_id=item.pk, user=user)
    choice_make(item_id=item.pk, user=user, verdict=verdict, explanation="I looked.", **repair)
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    item.refresh_from_db()
    return user


def waiting() -> tuple[Picture, ReviewItem]:
    picture = reviewed_picture()
    return picture, picture.review_items.get(closed_at=None)


@pytest.mark.usefixtures("always_twice")
def test_two_who_agree_decide_and_the_first_alone_does_not() -> None:
    picture, item = waiting()
    first = choose(item, Verdict.ALLOW)
    picture.refresh_from_db()
    assert (picture.cleared_by, item.closed_at, item.settles_at) == (None, None, None)
    with pytest.raises(NotOpen):
        item_open(item_id=item.pk, user=first)
    second = choose(item, Verdict.ALLOW)
    picture.refresh_from_db()
    assert picture.cleared_by is not None
    assert picture.cleared_by.actor == second
    assert item.closed_at is not None


@pytest.mark.usefixtures("always_twice")
def test_two_who_disagree_leave_it_to_a_lead() -> None:
    picture, item = waiting()
    choose(item, Verdict.ALLOW)
    choose(item, Verdict.BLOCK)
    assert item.for_lead
    picture.refresh_from_db()
    assert (picture.status, picture.cleared_by) == ("in_review", None)
    lead = make_user(group="Leads")
    page = Client()
    page.force_login(lead)
    assert "I looked." in page.get(reverse("desk:item", args=[item.pk])).content.decode()
    choose(item, Verdict.BLOCK, lead)
    picture.refresh_from_db()
    assert picture.status == "blocked"


BLUR = {"verdict": Verdict.BLUR, "region": Region(0.0, 0.0, 0.5, 1.0)}
REPAINT = {"verdict": Verdict.REPAINT, "prompt": "a harbour"}


@pytest.mark.usefixtures("always_twice")
@pytest.mark.parametrize("repair", [BLUR, REPAINT], ids=["blur", "repaint"])
def test_a_repair_is_carried_out_at_once_and_scrutiny_judges_it(repair: dict[str, Any]) -> None:
    picture, item = waiting()
    choose(item, **repair)
    picture.refresh_from_db()
    assert (picture.status, picture.cleared_by) == ("quarantined", None)
    assert picture.decisions.filter(action=repair["verdict"]).count() == 1
    assert (item.closed_at is None, item.closed_to) == (False, [])


@pytest.mark.usefixtures("always_twice")
def test_who_repairs_what_another_judged_leaves_it_to_a_lead() -> None:
    picture, item = waiting()
    choose(item, Verdict.ALLOW)
    choose(item, **BLUR)
    picture.refresh_from_db()
    assert (item.for_lead, item.closed_at, picture.status) == (True, None, "in_review")


def blocked_appeal(picture: Picture) -> tuple[Appeal, ReviewItem]:
    release_run(picture.job)
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    return appeal, ReviewItem.objects.get(appeal=appeal)


@pytest.mark.usefixtures("always_twice")
def test_neither_of_two_who_blocked_answers_the_appeal() -> None:
    picture, item = waiting()
    both = [choose(item, Verdict.BLOCK), choose(item, Verdict.BLOCK)]
    appeal, of_appeal = blocked_appeal(picture)
    for person in both:
        with pytest.raises(NotOpen, match="Somebody else"):
            item_open(item_id=of_appeal.pk, user=person)
        with pytest.raises(OwnDecision):
            appeal_answer(appeal_id=appeal.pk, moderator=person, accept=False, explanation="No.")
    item_open(item_id=of_appeal.pk, user=make_user(group="Moderators"))


@pytest.mark.usefixtures("always_twice")
def test_who_would_have_let_it_pass_may_answer_the_appeal() -> None:
    picture, item = waiting()
    mild, strict = choose(item, Verdict.ALLOW), choose(item, Verdict.BLOCK)
    lead = choose(item, Verdict.BLOCK, make_user(group="Leads"))
    _, of_appeal = blocked_appeal(picture)
    assert set(of_appeal.closed_to) == {strict.pk, lead.pk}
    item_open(item_id=of_appeal.pk, user=mild)


def test_what_could_not_be_carried_out_is_no_first_look() -> None:
    picture = judged_job(PictureAction.BLOCK).pictures.get()
    assert picture.current
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    item = ReviewItem.objects.get(appeal=appeal)
    object_delete(picture.current.key)
    one = choose(item, Verdict.ALLOW)
    assert (item.closed_at, item.settles_at) == (None, None), "it waits for another choice"
    assert not is_blind(item)
    other = choose(item, Verdict.BLOCK)
    appeal.refresh_from_db()
    assert (item.for_lead, appeal.state) == (False, "refused")
    people = {row.person for row in agreement_rows()}
    assert not people & {one.username, other.username}


@pytest.mark.usefixtures("always_twice")
def test_the_second_look_is_blind() -> None:
    _, item = waiting()
    first = choose(item, Verdict.BLOCK)
    client = Client()
    client.force_login(make_user(group="Moderators"))
    page = client.get(reverse("desk:item", args=[item.pk])).content.decode()
    assert "I looked." not in page
    assert first.username not in page


def test_the_share_is_that_of_the_rate_and_always_the_same() -> None:
    ids = [uuid7() for _ in range(2000)]
    assert 330 < sum(drawn(one, 0.2) for one in ids) < 470
    assert all(drawn(one, 0.3) for one in ids if drawn(one, 0.2)), "a higher rate takes more"


def test_without_a_rate_one_person_decides() -> None:
    picture, item = waiting()
    choose(item, Verdict.BLOCK)
    picture.refresh_from_db()
    assert picture.status == "blocked"


def test_a_golden_item_asks_again_and_does_nothing() -> None:
    picture, item = waiting()
    first = choose(item, Verdict.BLOCK)
    golden = golden_add(item_id=item.pk)
    assert (golden.expected, golden.kind) == ("block", "picture")
    with pytest.raises(NoGoldenItem, match="already"):
        golden_add(item_id=item.pk)
    with pytest.raises(NotOpen):
        item_open(item_id=golden.pk, user=first)
    client = Client()
    client.force_login(make_user(group="Moderators"))
    page = client.get(reverse("desk:item", args=[golden.pk])).content.decode()
    assert "I looked." not in page
    assert first.username not in page
    assert "golden" not in page
    decisions = picture.decisions.count()
    second = choose(golden, Verdict.ALLOW)
    picture.refresh_from_db()
    assert (picture.status, picture.decisions.count()) == ("blocked", decisions)
    assert golden.closed_by == second
    (row,) = [row for row in agreement_rows() if row.person == second.username]
    assert (row.beside, row.items, row.same) == ("golden", 1, 0)


def test_what_is_not_decided_cannot_be_golden() -> None:
    _, item = waiting()
    with pytest.raises(NoGoldenItem, match="decided"):
        golden_add(item_id=item.pk)


@pytest.mark.usefixtures("always_twice")
def test_agreement_is_told_per_person_and_queue() -> None:
    one, other = make_user(group="Moderators"), make_user(group="Moderators")
    for mine, theirs in [("allow", "allow"), ("block", "block"), ("allow", "block")]:
        _, item = waiting()
        choose(item, Verdict(mine), one)
        choose(item, Verdict(theirs), other)
    (row,) = [row for row in agreement_rows() if row.person == one.username]
    assert (row.category, row.beside, row.items, row.same) == ("nsfw", "others", 3, 2)
    assert row.kappa == pytest.approx(0.4)
    client = Client()
    client.force_login(make_user(group="Leads"))
    page = client.get(reverse("desk:agreement")).content.decode()
    assert one.username in page
    assert "0.40" in page


def test_kappa_is_cohens() -> None:
    # The example of Cohen's paper in its usual form: 20 both yes, 15 both no, 5 and 10 apart.
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.4)
    assert cohens_kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1.0)
    assert cohens_kappa([]) is None
    assert cohens_kappa([("a", "a")] * 5) is None
