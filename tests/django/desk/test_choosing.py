"""What is chosen for an item is carried out a while later, by the project's own services, unless it
is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from desk import choosing
from desk.choosing import ChoiceError, TooLate, choice_make, choice_undo, choices_settle
from desk.models import Choice, ReviewItem, Verdict
from desk.retouching import Region
from desk.taking import NotHeld, item_escalate, item_hand_back, item_open, item_take
from ethical_lens.results import PictureAction
from jobs import storage
from jobs.models import Job, Picture
from jobs.reconcile import reconcile
from jobs.recording.release import pictures_to_release
from jobs.services import job_cancel
from moderation.appeals import appeals_open
from moderation.repairs import picture_repaint
from moderation.review import picture_decide
from review_cases import held_job, judged_job, make_user, release_run, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def moderator() -> User:
    return make_user(group="Moderators")


def held(job: Job, user: User) -> ReviewItem:
    item = job.review_items.filter(closed_at=None).order_by("picture__index")[0]
    return item_open(item_id=item.pk, user=user)


def chosen(job: Job, user: User, verdict: Verdict, region: Region | None = None) -> Choice:
    item = held(job, user)
    return choice_make(
        item_id=item.pk, user=user, verdict=verdict, explanation="I looked.", region=region
    )


def wait_for_undo(choice: Choice, ago: int = 0) -> None:
    """Undo was over `ago` minutes ago."""
    over = timezone.now() - timedelta(minutes=ago)
    ReviewItem.objects.filter(pk=choice.item_id).update(settles_at=over)


def settled(*choices: Choice) -> list[bool]:
    """Whether each was carried out; what was not is still due."""
    found = []
    for choice in choices:
        choice.refresh_from_db()
        found.append(choice.decision is not None)
        item = ReviewItem.objects.get(pk=choice.item_id)
        assert (choice.settled_at is None) == (item.settles_at is not None) == (not found[-1])
    return found


@contextmanager
def store_away(settings: Settings) -> Iterator[None]:
    """Nobody answers at the address of the store."""
    here = settings.ENVIRONMENT
    settings.ENVIRONMENT = here.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1"})
    storage._client.cache_clear()
    try:
        yield
    finally:
        settings.ENVIRONMENT = here
        storage._client.cache_clear()


def test_nothing_happens_while_it_can_be_undone_and_then_all_of_it(moderator: User) -> None:
    picture = reviewed_picture()
    job = picture.job
    choice = chosen(job, moderator, Verdict.ALLOW)
    choices_settle()
    picture.refresh_from_db()
    assert (picture.status, picture.cleared_by) == ("in_review", None)
    assert not job.decisions.filter(stage="review").exists()
    assert item_take(user=make_user("desk.review_nsfw")) != choice.item, "it is in no queue"

    wait_for_undo(choice)
    choices_settle()
    choice.refresh_from_db()
    assert choice.decision is not None
    assert (choice.decision.action, choice.decision.actor) == ("release", moderator)
    assert choice.decision.explanation == "I looked."
    assert [out.cleared for out in pictures_to_release([job.id])] == [True], (
        "it does not wait a second time"
    )
    release_run(job)
    picture.refresh_from_db()
    assert picture.status == "released"
    choice.item.refresh_from_db()
    assert choice.item.closed_by == moderator


def test_a_block_can_be_undone_and_is_carried_out_later(moderator: User) -> None:
    picture = reviewed_picture()
    choice = chosen(picture.job, moderator, Verdict.BLOCK)
    item = choice_undo(choice_id=choice.pk, user=moderator)
    assert item.holder == moderator
    again = choice_make(item_id=item.pk, user=moderator, verdict=Verdict.BLOCK, explanation="no")
    wait_for_undo(again)
    choices_settle()
    release_run(picture.job)
    picture.refresh_from_db()
    assert (picture.status, picture.job.status) == ("blocked", "blocked")
    with pytest.raises(TooLate):
        choice_undo(choice_id=again.pk, user=moderator)


def test_undo_ends_with_its_minute_even_before_it_is_carried_out(moderator: User) -> None:
    choice = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    wait_for_undo(choice)
    with pytest.raises(TooLate):
        choice_undo(choice_id=choice.pk, user=moderator)


def test_only_ones_own_choice_is_undone(moderator: User) -> None:
    choice = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    with pytest.raises(Choice.DoesNotExist):
        choice_undo(choice_id=choice.pk, user=make_user(group="Moderators"))


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.ALLOW, "queued"), (Verdict.BLOCK, "blocked")]
)
def test_a_prompt_is_decided(verdict: Verdict, status: str, moderator: User) -> None:
    job = held_job()
    wait_for_undo(chosen(job, moderator, verdict))
    assert choices_settle() >= 1
    job.refresh_from_db()
    assert job.status == status


def test_an_appeal_is_answered(moderator: User) -> None:
    picture = judged_job(PictureAction.BLOCK).pictures.get()
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    wait_for_undo(chosen(picture.job, moderator, Verdict.ALLOW))
    choices_settle()
    appeal.refresh_from_db()
    assert appeal.state == "accepted"


def test_an_appeal_waits_while_the_store_is_away_and_stops_nothing_else(
    moderator: User, settings: Settings
) -> None:
    picture = judged_job(PictureAction.BLOCK).pictures.get()
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    accepted = chosen(picture.job, moderator, Verdict.ALLOW)
    other = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    wait_for_undo(accepted, ago=2)
    wait_for_undo(other, ago=1)
    with store_away(settings):
        choices_settle()
        assert settled(accepted, other) == [False, True]
        with pytest.raises(TooLate):
            choice_undo(choice_id=accepted.pk, user=moderator)
    choices_settle()
    assert settled(accepted) == [True]
    appeal.refresh_from_db()
    picture.refresh_from_db()
    assert (appeal.state, picture.status) == ("accepted", "released")


def test_a_choice_that_breaks_stops_no_other(moderator: User) -> None:
    broken = chosen(reviewed_picture().job, moderator, Verdict.BLUR, Region(0.0, 0.0, 0.5, 1.0))
    Choice.objects.filter(pk=broken.pk).update(blurred={})  # what nobody can carry out
    other = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    wait_for_undo(broken, ago=2)
    wait_for_undo(other, ago=1)
    reconcile()
    assert settled(broken, other) == [False, True]


def test_what_must_wait_takes_nobodys_place_and_the_earliest_goes_first(
    moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "BATCH", 1)
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW)
    waits = chosen(job, moderator, Verdict.BLOCK)
    at_work = job.pictures.get(index=1)
    picture_repaint(picture_id=at_work.id, moderator=moderator, prompt="a harbour", explanation="x")
    late = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    early = chosen(reviewed_picture().job, moderator, Verdict.BLOCK)
    for ago, choice in enumerate([late, early, waits]):
        wait_for_undo(choice, ago)
    choices_settle()
    assert settled(waits, early, late) == [False, True, False]
    choices_settle()
    assert settled(waits, early, late) == [False, True, True]


def test_a_reason_is_required_and_the_lock_too(moderator: User) -> None:
    item = held(reviewed_picture().job, moderator)
    with pytest.raises(ChoiceError, match="Say why"):
        choice_make(item_id=item.pk, user=moderator, verdict=Verdict.ALLOW, explanation="  ")
    other = make_user(group="Moderators")
    with pytest.raises(NotHeld):
        choice_make(item_id=item.pk, user=other, verdict=Verdict.ALLOW, explanation="mine")
    with pytest.raises(ChoiceError, match="no answer"):
        choice_make(item_id=item.pk, user=moderator, verdict=Verdict.HAND_BACK, explanation="x")
    assert not item.choices.exists()


def test_what_somebody_else_did_meanwhile_stands(moderator: User) -> None:
    picture = reviewed_picture()
    choice = chosen(picture.job, moderator, Verdict.ALLOW)
    picture_decide(picture_id=picture.id, moderator=make_user(), release=False, explanation="first")
    wait_for_undo(choice)
    choices_settle()
    release_run(picture.job)
    assert Picture.objects.get(pk=picture.pk).status == "blocked"


def test_a_canceled_job_overtakes_a_choice(moderator: User) -> None:
    picture = reviewed_picture()
    choice = chosen(picture.job, moderator, Verdict.ALLOW)
    job_cancel(job_id=picture.job_id)
    wait_for_undo(choice)
    choices_settle()
    assert Picture.objects.get(pk=picture.pk).status == "withdrawn"


def test_time_is_counted_whatever_is_done(moderator: User) -> None:
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW, PictureAction.REVIEW)
    acts = [
        lambda item: item_escalate(item_id=item.pk, user=moderator, explanation="not sure"),
        lambda item: item_hand_back(item_id=item.pk, user=moderator),
        lambda item: choice_make(
            item_id=item.pk, user=moderator, verdict=Verdict.BLOCK, explanation="no"
        ),
    ]
    for item, act in zip(job.review_items.all(), acts, strict=True):
        item_open(item_id=item.pk, user=moderator)
        ReviewItem.objects.filter(pk=item.pk).update(
            taken_at=timezone.now() - timedelta(seconds=30)
        )
        act(item)
    spent = moderator.choices.values_list("verdict", "seconds")
    assert {verdict for verdict, _ in spent} == {"escalate", "hand_back", "block"}
    assert all(29 < seconds < 60 for _, seconds in spent)
