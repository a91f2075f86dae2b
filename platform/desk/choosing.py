"""What a person chooses for an item they hold. It is carried out when the time for undo is over
(`MODERATOR_UNDO_SECONDS`): until then nothing is recorded, nothing leaves quarantine.

Carrying out is the work of `moderation.review` and `moderation.appeals`, which record the decision
and close the item.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from desk.models import Choice, ItemKind, ReviewItem, Severity, Verdict
from desk.nearness import near_pictures
from desk.retouching import Region, picture_retouch
from desk.second_looks import looked_at_again
from desk.taking import TakingError, item_lock, item_open, seconds_spent
from jobs.models import Job
from jobs.states import TERMINAL, JobStatus
from jobs.storage import StorageError, StoredObject
from moderation.appeals import AnsweredAlready, AppealError, appeal_answer
from moderation.models import Decision
from moderation.previews import PictureUnreadable
from moderation.released import released_decide
from moderation.repairs import StageOpen, picture_blur, picture_repaint
from moderation.restoring import StoreAway
from moderation.review import NotInReview, ReviewError, picture_decide, prompt_decide

logger = logging.getLogger(__name__)

VERDICTS: Final[Mapping[str, frozenset[Verdict]]] = {
    ItemKind.PICTURE: frozenset({Verdict.ALLOW, Verdict.BLOCK, Verdict.BLUR, Verdict.REPAINT}),
    ItemKind.PROMPT: frozenset({Verdict.ALLOW, Verdict.BLOCK}),
    ItemKind.APPEAL: frozenset({Verdict.ALLOW, Verdict.BLOCK}),
    ItemKind.REPORT: frozenset({Verdict.ALLOW, Verdict.BLOCK}),
    ItemKind.SAMPLE: frozenset({Verdict.ALLOW, Verdict.BLOCK}),
}
"""What can be chosen, by the kind of item."""
REPAIRS: Final = frozenset({Verdict.BLUR, Verdict.REPAINT})
LONGEST_PROMPT: Final = 2000
BATCH: Final = 200


class ChoiceError(TakingError):
    """What was chosen cannot be done; nothing was changed."""


class PictureChanged(ChoiceError):
    """The picture is not the one that was looked at."""


class TooLate(ChoiceError):
    """The time for undo is over."""


def choice_make(
    *,
    item_id: UUID,
    user: User,
    verdict: Verdict,
    explanation: str,
    region: Region | None = None,
    prompt: str = "",
    shown: UUID | None = None,
) -> Choice:
    """Choose for an item that the person holds; to blur takes a `region`, to repaint a `prompt`.
    `shown`: the version of the picture that they were shown, where it was a page that they saw.

    Raises `NotHeld`, `PictureChanged` where the picture is another than was shown, and
    `ChoiceError` where the reason is missing or the verdict does not fit.
    """
    if not explanation.strip():
        raise ChoiceError("Say why: the reason is empty.")
    if verdict is Verdict.REPAINT and not 0 < len(prompt.strip()) <= LONGEST_PROMPT:
        raise ChoiceError(f"Write the prompt to repaint from: 1 to {LONGEST_PROMPT} characters.")
    blurred = _blurred(item_id, user, region) if verdict is Verdict.BLUR else None
    with transaction.atomic():
        _job_lock(item_id)
        item = item_lock(item_id=item_id, user=user)
        version = item.picture.current_id if item.picture else None
        if shown is not None and shown != version:
            raise PictureChanged("The picture is another by now than the one you were shown.")
        current = item.picture.current if item.picture else None
        if blurred is not None and current is not None and blurred["of"] != current.sha256:
            raise PictureChanged("The picture became another while its region was blurred.")
        if verdict not in VERDICTS.get(item.kind, frozenset()):
            raise ChoiceError(f"{verdict.label} is no answer to a {item.get_kind_display()}.")
        if verdict in REPAIRS and not repairable(item):
            raise ChoiceError("Where somebody under 20 may be shown, nothing is repaired.")
        choice = Choice.objects.create(
            item=item,
            user=user,
            version_id=version,
            verdict=verdict.value,
            explanation=explanation.strip(),
            prompt=prompt.strip() if verdict is Verdict.REPAINT else "",
            blurred=blurred,
            seconds=seconds_spent(item),
        )
        undo = timedelta(seconds=settings.ENVIRONMENT.moderator_undo_seconds)
        item.holder, item.held_until, item.settles_at = None, None, timezone.now() + undo
        item.save(update_fields=["holder", "held_until", "settles_at"])
        return choice


def choices_likewise(choice: Choice, items: Sequence[UUID]) -> list[Choice]:
    """Choose the same for other items, as far as their pictures are nearly the same and the person
    may take them; the rest is left alone. Only what needs nothing of its own is chosen likewise.
    """
    if choice.verdict not in {Verdict.ALLOW, Verdict.BLOCK}:
        return []
    near = [found.picture_id for found in near_pictures(choice.item.picture)]
    alike = ReviewItem.objects.filter(
        pk__in=items, picture__in=near, kind=ItemKind.PICTURE, closed_at=None, settles_at=None
    ).exclude(pk=choice.item_id)
    made = []
    for item_id in alike.order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():
                item_open(item_id=item_id, user=choice.user)
                made.append(
                    choice_make(
                        item_id=item_id,
                        user=choice.user,
                        verdict=Verdict(choice.verdict),
                        explanation=choice.explanation,
                    )
                )
        except TakingError as error:
            logger.info("item %s was not decided likewise: %s", item_id, error)
    return made


def repairable(item: ReviewItem) -> bool:
    """Whether the picture may be blurred or repainted: not beside somebody under 20."""
    return item.severity < Severity.HIGHEST


def choice_undo(*, choice_id: UUID, user: User) -> ReviewItem:
    """Take a choice of one's own back while the time for undo runs; the item is held again.

    Raises `TooLate`.
    """
    with transaction.atomic():
        choice = Choice.objects.select_related("item").get(pk=choice_id, user=user)
        _job_lock(choice.item_id)
        choice.refresh_from_db()
        item = ReviewItem.objects.select_for_update().get(pk=choice.item_id)
        now = timezone.now()
        open_still = choice.undone_at is None and choice.settled_at is None
        if not open_still or item.settles_at is None or item.settles_at <= now:
            raise TooLate("Too late: the time for undo is over.")
        choice.undone_at = now
        choice.save(update_fields=["undone_at"])
        user.held_items.update(holder=None, held_until=None)
        item.settles_at, item.holder, item.taken_at = None, user, now
        item.held_until = now + timedelta(seconds=settings.ENVIRONMENT.review_lock_seconds)
        item.save(update_fields=["settles_at", "holder", "taken_at", "held_until"])
        return item


def choices_settle() -> int:
    """Carry out the choices whose time for undo is over, the earliest first, up to `BATCH`. How
    many were.

    What one of them breaks on is logged and stops nobody else. While the store is away, the
    appeals, which need it, wait for the next turn.
    """
    due = ReviewItem.objects.filter(closed_at=None, settles_at__lte=Now()).order_by("settles_at")
    settled, store_away = 0, False
    for item_id, appeal_id in list(due.values_list("pk", "appeal_id")):
        if settled == BATCH:
            break
        if appeal_id is not None and store_away:
            continue
        try:
            settled += _settle(item_id)
        except OperationalError:
            raise
        except StoreAway as error:
            store_away = True
            logger.warning("the choice for item %s waits: %s", item_id, error)
        except Exception:
            logger.exception("could not carry out what was chosen for item %s", item_id)
    return settled


def _settle(item_id: UUID) -> bool:
    """Carry one out; not while its job is at work, where it waits for the next turn.

    Raises `StoreAway`; then nothing was changed.
    """
    with transaction.atomic():
        job = _job_lock(item_id)
        item = ReviewItem.objects.select_for_update().get(pk=item_id)
        if item.closed_at is not None or item.settles_at is None:
            return False
        if job.status not in {*TERMINAL, JobStatus.NEEDS_REVIEW}:
            return False
        choice = item.choices.select_related("user").get(undone_at=None, settled_at=None)
        if item.expected:
            _close(item, choice)
        elif not looked_at_again(item, choice):
            try:
                with transaction.atomic():
                    choice.decision = _carry_out(item, choice)
            except StageOpen:
                return False
            except StoreAway:
                raise
            except (NotInReview, AnsweredAlready) as error:
                logger.warning("the choice %s was overtaken: %s", choice.pk, error)
                _close(item, choice)
            except (ReviewError, AppealError) as error:
                logger.warning("the choice %s cannot be carried out: %s", choice.pk, error)
                item.settles_at = None  # it waits for another choice
                item.save(update_fields=["settles_at"])
        choice.settled_at = timezone.now()
        choice.save(update_fields=["decision", "settled_at"])
        return True


def _carry_out(item: ReviewItem, choice: Choice) -> Decision:
    passes = choice.verdict == Verdict.ALLOW
    if item.appeal_id is not None:
        answer = appeal_answer(
            appeal_id=item.appeal_id,
            moderator=choice.user,
            accept=passes,
            explanation=choice.explanation,
        ).answer
        assert answer is not None  # it was just given
        return answer
    if item.picture_id is None:
        return prompt_decide(
            job_id=item.job_id,
            moderator=choice.user,
            approve=passes,
            explanation=choice.explanation,
        )
    if item.kind != ItemKind.PICTURE:
        return released_decide(
            picture_id=item.picture_id,
            moderator=choice.user,
            keep=passes,
            explanation=choice.explanation,
        )
    if choice.verdict == Verdict.BLUR:
        blurred = dict(choice.blurred or {})
        return picture_blur(
            picture_id=item.picture_id,
            moderator=choice.user,
            of=blurred.pop("of"),
            blurred=StoredObject(**blurred),
            explanation=choice.explanation,
        )
    if choice.verdict == Verdict.REPAINT:
        return picture_repaint(
            picture_id=item.picture_id,
            moderator=choice.user,
            prompt=choice.prompt,
            explanation=choice.explanation,
        )
    return picture_decide(
        picture_id=item.picture_id,
        moderator=choice.user,
        release=passes,
        explanation=choice.explanation,
    )


def _blurred(item_id: UUID, user: User, region: Region | None) -> dict[str, object]:
    """What the picture looks like with the region blurred, stored before anything is locked."""
    if region is None:
        raise ChoiceError("Draw the region to blur.")
    item = ReviewItem.objects.select_related("picture__current").get(pk=item_id)
    if item.holder_id != user.pk or item.picture is None or item.picture.current is None:
        raise ChoiceError("You do not hold a picture.")
    try:
        stored = picture_retouch(item.picture, region)
    except (StorageError, PictureUnreadable) as error:
        raise ChoiceError(f"The picture cannot be read now: {error}.") from error
    return asdict(stored) | {"of": item.picture.current.sha256}


def _close(item: ReviewItem, choice: Choice) -> None:
    """Without a decision: nothing was done."""
    item.closed_at, item.closed_by, item.settles_at = timezone.now(), choice.user, None
    item.save(update_fields=["closed_at", "closed_by", "settles_at"])


def _job_lock(item_id: UUID) -> Job:
    """The job of an item, locked: before its item, as everywhere."""
    return Job.objects.select_for_update(of=("self",)).get(review_items=item_id)
