"""Items are taken in their order, by those who may, one person each."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from desk.models import Category, ReviewerSettings, ReviewItem
from desk.taking import (
    NotHeld,
    NotOpen,
    item_escalate,
    item_hand_back,
    item_held_by,
    item_lock,
    item_open,
    item_take,
)
from factories import make_job
from jobs.models import Job
from review_cases import make_user

pytestmark = [pytest.mark.services]


def queued(job: Job, category: Category, count: int = 1, **fields: object) -> list[ReviewItem]:
    """Open items of a queue, the first due first. They stand for subjects of any kind."""
    now = timezone.now()
    return ReviewItem.objects.bulk_create(
        ReviewItem(
            kind="sample", tenant_id=job.tenant_id, job=job, picture=picture, category=category,
            severity=2, reason="sampled", entered_at=now, due_at=now,
            **{"rank": now - timedelta(days=1000) + timedelta(seconds=index)} | fields,
        )
        for index, picture in enumerate(
            job.pictures.model.objects.bulk_create(
                job.pictures.model(job=job, index=100 + index, seed=0) for index in range(count)
            )
        )
    )  # fmt: skip


@pytest.fixture
def alone(committed: None) -> None:
    """No other test's items wait."""
    ReviewItem.objects.filter(closed_at=None).update(
        closed_at=timezone.now(), holder=None, held_until=None
    )


@pytest.mark.usefixtures("alone")
def test_twenty_at_once_get_twenty_different_items() -> None:
    items = queued(make_job(), Category.NUDE, 30)
    users = [make_user(group="Moderators") for _ in range(20)]
    start = threading.Barrier(20)
    taken: list[ReviewItem | None] = []

    def take(user: User) -> None:
        try:
            start.wait(20)
            taken.append(item_take(user=user))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    got = [item.pk for item in taken if item is not None]
    assert len(set(got)) == len(got) == 20
    assert set(got) <= {item.pk for item in items}


@pytest.mark.usefixtures("alone")
def test_what_ranks_first_is_taken_first_and_kept() -> None:
    job = make_job()
    (nude,) = queued(job, Category.NUDE, rank=timezone.now())
    (text,) = queued(make_job(), Category.TEXT, rank=timezone.now() - timedelta(hours=1))
    user = make_user(group="Moderators")
    assert item_take(user=user) == text
    assert item_take(user=user) == text, "what is held comes again"
    assert item_take(user=make_user(group="Moderators")) == nude
    assert item_take(user=make_user(group="Moderators")) is None


@pytest.mark.usefixtures("alone")
def test_queues_are_open_to_those_with_the_right_and_left_out_at_will() -> None:
    (nude,) = queued(make_job(), Category.NUDE)
    assert item_take(user=make_user("desk.review_text")) is None
    user = make_user(group="Moderators")
    ReviewerSettings.objects.create(user=user, left_out=["nude", "nsfw"])
    assert item_take(user=user) is None
    assert item_take(user=make_user("desk.review_nude")) == nude


@pytest.mark.usefixtures("alone")
def test_a_lock_expires() -> None:
    (item,) = queued(make_job(), Category.NUDE)
    first, second = make_user(group="Moderators"), make_user(group="Moderators")
    assert item_take(user=first) == item
    assert item_take(user=second) is None
    ReviewItem.objects.filter(pk=item.pk).update(held_until=timezone.now())
    assert item_held_by(first) is None
    with pytest.raises(NotHeld):
        item_lock_now(item, first)
    assert item_take(user=second) == item
    item_lock_now(item, second)


@pytest.mark.usefixtures("alone")
def test_what_is_handed_back_goes_to_others_and_comes_again_when_asked_for() -> None:
    (item,) = queued(make_job(), Category.NUDE)
    first, second = make_user(group="Moderators"), make_user(group="Moderators")
    item_take(user=first)
    item_hand_back(item_id=item.pk, user=first)
    assert item_take(user=first) is None
    assert item_take(user=second) == item
    with pytest.raises(NotOpen, match="has taken this"):
        item_open(item_id=item.pk, user=first)
    item_hand_back(item_id=item.pk, user=second)
    assert item_open(item_id=item.pk, user=first) == item
    with pytest.raises(NotHeld):
        item_hand_back(item_id=item.pk, user=second)


@pytest.mark.usefixtures("alone")
def test_what_is_escalated_waits_for_a_lead() -> None:
    first_due, item = queued(make_job(), Category.NUDE, 2)
    first, second = make_user(group="Moderators"), make_user(group="Moderators")
    lead = make_user("desk.lead", group="Moderators")
    item_open(item_id=item.pk, user=first)
    item_escalate(item_id=item.pk, user=first, explanation="Is that him?")
    with pytest.raises(NotOpen, match="lead"):
        item_open(item_id=item.pk, user=second)
    assert item_take(user=lead) == item, "before what is due earlier"
    assert item_take(user=second) == first_due


@pytest.mark.usefixtures("alone")
def test_who_may_not_decide_is_not_given_it() -> None:
    user = make_user(group="Moderators")
    (item,) = queued(make_job(), Category.NUDE, closed_to=[user.pk])
    assert item_take(user=user) is None
    with pytest.raises(NotOpen, match="Somebody else"):
        item_open(item_id=item.pk, user=user)


def item_lock_now(item: ReviewItem, user: User) -> None:
    from django.db import transaction

    with transaction.atomic():
        item_lock(item_id=item.pk, user=user)
