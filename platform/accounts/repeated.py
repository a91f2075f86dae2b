"""Requests that come again by themselves, of clients that number them and name them by no key.

The first of a request is new, whatever was sent before; a repetition gets what its first did. Both
know it by the same `key`, made of who asks and what. What is kept under it, as under an
`Idempotency-Key`, is one of three: the answer to the last first one; that it was refused, so that
its repetition is to be tried anew; or the answer to a repetition whose first has not been seen.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.idempotency import Answer, answer_keep, key_lock, lock_number
from accounts.models import KeptAnswer

OVERTAKEN_WITHIN: Final = timedelta(minutes=1)
"""So much later a request comes at most that was overtaken by its own repetition."""
_REFUSED: Final = Answer(status=429, headers={"kept": "refused"}, body="")
_UNSEEN: Final = {"kept": "the first is not seen yet"}


def first_answered(
    *, tenant_id: UUID, key: str, fingerprint: str, make: Callable[[], Answer]
) -> Answer:
    """The answer of `make`, kept with its work in place of one that is there; or that which its
    own repetition got already.

    Any number at once, while a repetition of theirs gets `KeyInFlight`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock_number(tenant_id, key)])
        overtaking = (
            KeptAnswer.objects.select_for_update(skip_locked=True)
            .filter(
                tenant=tenant_id, key=key, headers=_UNSEEN,
                created_at__gt=timezone.now() - OVERTAKEN_WITHIN,
            )
            .first()
        )  # fmt: skip
        if overtaking is not None:
            overtaking.headers = {}
            overtaking.save(update_fields=["headers"])
            return Answer(overtaking.status, {}, overtaking.body, replayed=True)
        answer = make()
        answer_keep(tenant_id, key, fingerprint, answer)
    return answer


def first_refused(
    *, tenant_id: UUID, key: str, fingerprint: str, under_way: Callable[[str], bool]
) -> None:
    """Remember that the first was refused: what an equal one got before is nothing to its
    repetitions.

    Two are left as they are: what is still `under_way`, told by the body that is kept, since the
    equal one that waits for it may be lost, too; and what its own repetition got already.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:  # an equal one that is being answered is waited for
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(tenant_id, key)])
        kept = KeptAnswer.objects.filter(tenant=tenant_id, key=key).first()
        if kept is not None and _overtaking(kept):
            kept.headers = {}
            kept.save(update_fields=["headers"])
        elif kept is None or not kept.body or not under_way(kept.body):
            answer_keep(tenant_id, key, fingerprint, _REFUSED)


def _overtaking(kept: KeptAnswer) -> bool:
    young = kept.created_at > timezone.now() - OVERTAKEN_WITHIN
    return young and kept.headers == _UNSEEN


def repetition_known(
    *, tenant_id: UUID, key: str, fingerprint: str, within: timedelta
) -> Answer | None:
    """What the first, or another repetition, got by now, None where there is none: for what is
    costly and comes before `repetition_answered`. Raises as that."""
    with transaction.atomic():
        key_lock(tenant_id, key)
        kept = _kept_within(tenant_id, key, within)
    return _again(kept)


def repetition_answered(
    *,
    tenant_id: UUID,
    key: str,
    fingerprint: str,
    make: Callable[[], Answer],
    within: timedelta,
) -> Answer:
    """What the first got, if that is no longer ago than `within`; else the answer of `make`, kept
    with its work.

    Raises `KeyInFlight` while the first, or another repetition, is under way.
    """
    with transaction.atomic():
        key_lock(tenant_id, key)
        kept = _kept_within(tenant_id, key, within)
        if (again := _again(kept)) is not None:
            return again
        answer = make()
        unseen = replace(answer, headers=_UNSEEN)
        answer_keep(tenant_id, key, fingerprint, answer if kept is not None else unseen)
    return answer


def _kept_within(tenant_id: UUID, key: str, within: timedelta) -> KeptAnswer | None:
    since = timezone.now() - within
    return KeptAnswer.objects.filter(tenant=tenant_id, key=key, created_at__gt=since).first()


def _again(kept: KeptAnswer | None) -> Answer | None:
    """What is kept, to be given once more; None of one that was refused."""
    if kept is None or kept.headers == _REFUSED.headers:
        return None
    return Answer(kept.status, {}, kept.body, replayed=True)
