"""Taking items from the queue: each is held by one person at a time, and for a while only.

The next item is the earliest by `rank` of the queues that a person may review; a lead gets what was
escalated first. No two get the same one: it is locked with SKIP LOCKED and marked in one statement.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from desk.models import Category, Choice, ReviewItem, Verdict, review_permission
from desk.reviewers import categories_left_out

_FREE = """
item.closed_at IS NULL AND item.settles_at IS NULL
AND item.for_lead = {for_lead} AND item.category = {category}
AND (item.held_until IS NULL OR item.held_until <= clock_timestamp())
AND NOT item.closed_to || item.handed_back_by @> ARRAY[%(user)s::uuid]
"""

# The first of each queue, by one look into the index per queue; nothing is locked yet.
_QUEUES = f"""
SELECT queue.for_lead, queue.category
FROM unnest(%(leads)s::boolean[], %(categories)s::text[]) AS queue(for_lead, category)
CROSS JOIN LATERAL (
    SELECT rank FROM desk_reviewitem item
    WHERE {_FREE.format(for_lead="queue.for_lead", category="queue.category")}
    ORDER BY rank LIMIT 1
) AS first
ORDER BY queue.for_lead DESC, first.rank
"""  # noqa: S608 - constants of this module

TAKE: Final = f"""
UPDATE desk_reviewitem
SET holder_id = %(user)s, taken_at = clock_timestamp(),
    held_until = clock_timestamp() + %(lock)s
WHERE id = (
    SELECT id FROM desk_reviewitem item
    WHERE {_FREE.format(for_lead="%(for_lead)s", category="%(category)s")}
    ORDER BY rank LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""  # noqa: S608
"""Takes the first free item of one queue."""


class TakingError(Exception):
    """Nothing was changed."""


class NotHeld(TakingError):
    """The item is not, or no longer, held by this person."""


class NotOpen(TakingError):
    """The item cannot be taken by this person."""


def queues_of(user: User) -> list[str]:
    """The categories a person may review and has not left out, in the order of `Category`."""
    left_out = categories_left_out(user)
    return [
        category
        for category in Category.values
        if category not in left_out and user.has_perm(f"desk.{review_permission(category)}")
    ]


def item_take(*, user: User) -> ReviewItem | None:
    """The item that the person holds already, else the next one, locked for
    `REVIEW_LOCK_SECONDS`; None where nothing waits that they may take."""
    held = item_held_by(user)
    if held is not None:
        return held
    categories = queues_of(user)
    tiers = [True, False] if user.has_perm("desk.lead") else [False]
    parameters: dict[str, Any] = {
        "user": user.pk,
        "lock": timedelta(seconds=settings.ENVIRONMENT.review_lock_seconds),
        "leads": [tier for tier in tiers for _ in categories],
        "categories": categories * len(tiers),
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUEUES, parameters)
        for for_lead, category in cursor.fetchall():
            cursor.execute(TAKE, parameters | {"for_lead": for_lead, "category": category})
            row = cursor.fetchone()
            if row is not None:
                return ReviewItem.objects.get(pk=row[0])
    return None


def item_open(*, item_id: UUID, user: User) -> ReviewItem:
    """Take this very item, also one that the person handed back before; what they hold besides
    goes back to the queue.

    Raises `NotOpen` where it is decided, held by somebody else, or not theirs to decide.
    """
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().get(pk=item_id)
        now = timezone.now()
        if item.closed_at is not None:
            raise NotOpen("This was decided already.")
        if item.settles_at is not None:
            raise NotOpen("Somebody decided this a moment ago.")
        if item.holder_id != user.pk and item.held_until is not None and item.held_until > now:
            raise NotOpen(f"{item.holder} has taken this, until {item.held_until:%H:%M} UTC.")
        if user.pk in item.closed_to:
            raise NotOpen("Somebody else than you decides this.")
        if item.for_lead and not user.has_perm("desk.lead"):
            raise NotOpen("This was escalated: a lead decides it.")
        if not user.has_perm(f"desk.{review_permission(item.category)}"):
            raise NotOpen(f"You may not review the queue {item.category}.")
        user.held_items.exclude(pk=item.pk).update(holder=None, held_until=None)
        if item.holder_id != user.pk:
            item.taken_at = now
        item.holder = user
        item.held_until = now + timedelta(seconds=settings.ENVIRONMENT.review_lock_seconds)
        item.save(update_fields=["holder", "held_until", "taken_at"])
        return item


def item_held_by(user: User) -> ReviewItem | None:
    """What the person holds now."""
    return user.held_items.filter(closed_at=None, held_until__gt=Now()).first()


def item_lock(*, item_id: UUID, user: User) -> ReviewItem:
    """The item, locked in the transaction under way.

    Raises `NotHeld` where this person does not hold it: the lock expired, somebody decided.
    """
    item = ReviewItem.objects.select_for_update().filter(pk=item_id, closed_at=None).first()
    if (
        item is None
        or item.holder_id != user.pk
        or item.held_until is None
        or item.held_until <= timezone.now()
    ):
        raise NotHeld("You do not hold this item: the lock expired, or it was decided.")
    return item


def item_hand_back(*, item_id: UUID, user: User) -> None:
    """Let somebody else take the item; this person is not given it again unasked.

    Raises `NotHeld`.
    """
    with transaction.atomic():
        item = item_lock(item_id=item_id, user=user)
        _tell(item, user, Verdict.HAND_BACK, "")
        item.handed_back_by = [*item.handed_back_by, user.pk]
        _free(item, "handed_back_by")


def item_escalate(*, item_id: UUID, user: User, explanation: str) -> None:
    """Let a lead decide; `explanation` is for them. Raises `NotHeld`."""
    with transaction.atomic():
        item = item_lock(item_id=item_id, user=user)
        _tell(item, user, Verdict.ESCALATE, explanation)
        item.for_lead = True
        item.handed_back_by = [*item.handed_back_by, user.pk]
        _free(item, "for_lead", "handed_back_by")


def seconds_spent(item: ReviewItem) -> float:
    """Since its holder took it."""
    return (timezone.now() - item.taken_at).total_seconds() if item.taken_at else 0.0


def _tell(item: ReviewItem, user: User, verdict: Verdict, explanation: str) -> None:
    now = timezone.now()
    Choice.objects.create(
        item=item, user=user, verdict=verdict.value, explanation=explanation.strip(),
        seconds=seconds_spent(item), settled_at=now,
    )  # fmt: skip


def _free(item: ReviewItem, *changed: str) -> None:
    item.holder, item.held_until = None, None
    item.save(update_fields=["holder", "held_until", *changed])
