"""Blind second looks, and golden items: how it is known that people decide well.

A share of items (`REVIEW_SECOND_RATE`) is decided by two people, neither of whom sees what the
other chose. Nothing is carried out before the second has chosen: the same, and it is; something
else, and a lead decides. Who only has a picture blurred or painted anew has judged nothing yet, and
is not looked at again: scrutiny is what judges that picture.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from desk.models import Choice, ItemKind, ReviewItem, Verdict
from desk.shares import drawn
from desk.taking import TakingError
from moderation.models import Decision

JUDGING: Final = (Verdict.ALLOW, Verdict.BLOCK)
"""Verdicts that can be compared."""


class NoGoldenItem(TakingError):
    """The item has no answer that is known, or is asked again already."""


def looked_at_again(item: ReviewItem, choice: Choice) -> bool:
    """Whether what was chosen waits for another person instead of being carried out; the item,
    which is locked, is then in the queue again."""
    if item.for_lead or item.expected:
        return False
    first = _first_looks(item).last()
    if first is None:
        judges = choice.verdict in JUDGING
        if not judges or not drawn(item.pk, settings.ENVIRONMENT.review_second_rate):
            return False
    elif first.verdict == choice.verdict:
        return False
    else:
        item.for_lead = True
    item.closed_to = [*item.closed_to, choice.user_id]
    item.settles_at = None
    item.save(update_fields=["for_lead", "closed_to", "settles_at"])
    return True


def is_blind(item: ReviewItem) -> bool:
    """Whether what others chose must not be seen: golden items and second looks, while open."""
    if item.closed_at is not None or item.for_lead:
        return False
    return bool(item.expected) or _first_looks(item).exists()


def decided_by(decision: Decision) -> Sequence[UUID]:
    """Who made a decision: its actor, and whoever chose the same for its item before; nobody where
    the system did."""
    if decision.actor_id is None:
        return []
    choice = Choice.objects.filter(decision=decision).select_related("item").first()
    if choice is None:
        return [decision.actor_id]
    same = choice.item.choices.filter(verdict=choice.verdict, undone_at=None)
    return sorted({decision.actor_id, *same.values_list("user_id", flat=True)})


def golden_possible(item: ReviewItem) -> bool:
    """Whether a golden item can be made of it: a picture that is still there, and whose answer was
    carried out."""
    return (
        item.kind == ItemKind.PICTURE
        and item.job.erased_at is None
        and item.closed_at is not None
        and not item.expected
        and _answer(item) is not None
    )


def golden_add(*, item_id: UUID) -> ReviewItem:
    """Put a decided picture into the queue again; who decided it is not asked.

    Raises `NoGoldenItem`.
    """
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().get(pk=item_id)
        answer = _answer(item)
        if not golden_possible(item) or answer is None:
            raise NoGoldenItem("Only a decided picture that is not erased can be asked again.")
        open_still = ReviewItem.objects.filter(
            picture=item.picture_id, kind=ItemKind.PICTURE, closed_at=None
        )
        if open_still.exists():
            raise NoGoldenItem("It waits in the queue already.")
        now = timezone.now()
        return ReviewItem.objects.create(
            kind=item.kind,
            tenant_id=item.tenant_id,
            job_id=item.job_id,
            picture_id=item.picture_id,
            category=item.category,
            severity=item.severity,
            reason=item.reason,
            prompt_digest=item.prompt_digest,
            entered_at=now,
            due_at=now + (item.due_at - item.entered_at),
            rank=now + (item.due_at - item.entered_at),
            closed_to=list(item.choices.values_list("user_id", flat=True)),
            expected=answer.verdict,
        )


def _answer(item: ReviewItem) -> Choice | None:
    return item.choices.filter(decision__isnull=False, verdict__in=JUDGING).first()


def _first_looks(item: ReviewItem) -> QuerySet[Choice]:
    """What was set aside until another person has looked: its chooser may not decide the item any
    more. A choice that could not be carried out is none."""
    return item.choices.filter(
        verdict__in=JUDGING, settled_at__isnull=False, undone_at=None, user__in=item.closed_to
    )
