"""`Idempotency-Key`: what a key did is done once, and its answer given again.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.errors import KeyInFlight, KeyReused
from accounts.models import KeptAnswer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with. It is kept as it is, so it may carry no link that ends."""

    status: int
    headers: dict[str, str]
    body: str
    replayed: bool = False


def answer_once(
    *,
    tenant_id: UUID,
    key: str,
    fingerprint: str,
    make: Callable[[], Answer],
) -> Answer:
    """The answer kept under the tenant's `key`, or that of `make`, which is kept with its work.

    Both are committed together. The lock ends with the transaction, however long that takes, so no
    second request ever takes a slow one for dead. Whatever `make` raises leaves nothing behind.

    Raises `KeyInFlight`, and `KeyReused` where the fingerprint is another.
    """
    with transaction.atomic():
        answer = _kept(tenant_id, key, fingerprint)
        if answer is None:
            answer = make()
            answer_keep(tenant_id, key, fingerprint, answer)
    return answer


def answer_known(*, tenant_id: UUID, key: str, fingerprint: str) -> Answer | None:
    """The answer that is kept under the tenant's `key` by now, None where there is none: for what
    is costly and comes before `answer_once`. Raises as that."""
    with transaction.atomic():
        return _kept(tenant_id, key, fingerprint)


def _kept(tenant_id: UUID, key: str, fingerprint: str) -> Answer | None:
    key_lock(tenant_id, key)
    # A statement of its own, begun after the lock: it sees what the last holder committed.
    kept = KeptAnswer.objects.filter(
        tenant=tenant_id, key=key, created_at__gt=timezone.now() - _life()
    ).first()
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise KeyReused
    return Answer(status=kept.status, headers=kept.headers, body=kept.body, replayed=True)


def answer_keep(tenant_id: UUID, key: str, fingerprint: str, answer: Answer) -> None:
    """Keep the answer; a row that is there is over its time, or is to be replaced."""
    KeptAnswer.objects.bulk_create(
        [
            KeptAnswer(
                tenant_id=tenant_id,
                key=key,
                fingerprint=fingerprint,
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
                created_at=timezone.now(),
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant", "key"],
        update_fields=["fingerprint", "status", "headers", "body", "created_at"],
    )


def kept_answers_forget() -> int:
    """Delete the answers that are over their time. How many."""
    deleted, _ = KeptAnswer.objects.filter(created_at__lte=timezone.now() - _life()).delete()
    return deleted


def _life() -> timedelta:
    return timedelta(seconds=settings.ENVIRONMENT.idempotency_seconds)


def key_lock(tenant_id: UUID, key: str) -> None:
    """Take the key for the transaction under way. Raises `KeyInFlight` where another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number(tenant_id, key)])
        if not cursor.fetchone()[0]:
            raise KeyInFlight


def lock_number(tenant_id: UUID, key: str) -> int:
    """The key as advisory locks are named."""
    digest = hashlib.sha256(f"{tenant_id} {key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
