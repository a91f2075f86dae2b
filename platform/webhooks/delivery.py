"""One attempt at one delivery: claim the message, send without a lock, record under the token."""

import json
import logging
import random
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks import Webhook

from config.sealing import SealBroken
from config.tracing import HEADER, traced, traceparent_next
from webhooks.addresses import Deadline, PinnedTransport, Rules, url_parse
from webhooks.dispatch import place_freed
from webhooks.endpoints import endpoint_failed, endpoint_succeeded
from webhooks.errors import WebhookError
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Endpoint, Event

RETRY_SCHEDULE: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay before each attempt, counted from the end of the one before.

The example of the Standard Webhooks specification, section "Deliverability and reliability":
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""
JITTER: Final = 0.1
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
LONGEST_ANSWER: Final = 16 * 1024
"""Bytes of an answer's body that are read, and kept in the log."""
USER_AGENT: Final = "Ethical-Lens-Webhooks/1"

_random = random.SystemRandom()

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one request came to: a status, an error, or both where the answer broke off.

    `answer` is the beginning of the body that came back.
    """

    started_at: datetime
    duration: timedelta
    status_code: int | None
    error: str
    answer: str
    retry_after: timedelta | None

    @property
    def accepted(self) -> bool:
        return not self.error and self.status_code is not None and self.status_code // 100 == 2

    @property
    def gone(self) -> bool:
        return self.status_code == HTTPStatus.GONE


def delivery_attempt(*, delivery_id: UUID, token: int) -> None:
    """Try the delivery once, if it is pending and `token` is still its own.

    A message counts once: taking it moves the token on, so that neither its copy nor an attempt
    that was overtaken changes anything. No transaction is open while the request is under way.
    """
    delivery = _claim(delivery_id, token)
    if delivery is None:
        return
    job = delivery.event.job
    with traced(job.traceparent if job else ""):
        outcome = _send(delivery.endpoint, delivery.event)
        _record(delivery, outcome)


def _claim(delivery_id: UUID, token: int) -> Delivery | None:
    """Take the delivery, or None where there is nothing to try.

    The lock waits for a dispatcher whose message came faster than its commit. Should this worker
    die, the delivery is due again by itself.
    """
    margin = timedelta(seconds=4 * settings.ENVIRONMENT.webhook_timeout_seconds)
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("event__job", "endpoint")
            .filter(pk=delivery_id)
            .first()
        )
        if delivery is None or delivery.status != DeliveryStatus.PENDING or delivery.token != token:
            return None
        own = Delivery.objects.filter(pk=delivery_id)
        if not delivery.endpoint.is_active:
            own.update(
                status=DeliveryStatus.FAILED,
                next_attempt_at=None,
                under_way=False,
                token=F("token") + 1,
            )
            return None
        own.update(next_attempt_at=Now() + margin, under_way=True, token=token + 1)
    delivery.token = token + 1
    return delivery


def _send(endpoint: Endpoint, event: Event) -> Outcome:
    started_at, clock = timezone.now(), time.monotonic()
    deadline = Deadline.after(settings.ENVIRONMENT.webhook_timeout_seconds)
    status_code = retry_after = None
    error, answer = "", bytearray()
    try:
        request = _request(endpoint, event, started_at)
        transport = PinnedTransport(deadline, Rules.of_webhooks())
        with closing(transport.handle_request(request)) as response:
            status_code = response.status_code
            retry_after = _retry_after(response.headers.get("retry-after", ""))
            _hear(response, answer)
    except WebhookError as failure:
        error = str(failure)
    except SealBroken as broken:
        error = f"the endpoint's secret cannot be read, rotate it: {broken}"
        logger.error("endpoint %s: %s", endpoint.pk, error)
    return Outcome(
        started_at=started_at,
        duration=timedelta(seconds=time.monotonic() - clock),
        status_code=status_code,
        error=_storable(error)[:500],
        answer=_storable(answer.decode(errors="replace")),
        retry_after=retry_after,
    )


def _request(endpoint: Endpoint, event: Event, at: datetime) -> httpx.Request:
    """The event as Standard Webhooks has it; id and body are the same at every attempt."""
    counted = {"sequence": event.sequence} if event.job_id else {}
    payload: dict[str, Any] = {
        "type": event.type,
        "timestamp": event.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": event.data | counted,
    }
    body = json.dumps(payload, separators=(",", ":"))
    return httpx.Request(
        "POST",
        url_parse(endpoint.url),
        content=body.encode(),
        headers={
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "connection": "close",
            HEADER: traceparent_next(),
            "webhook-id": str(event.id),
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(
                Webhook(secret).sign(str(event.id), at, body) for secret in _secrets(endpoint, at)
            ),
        },
    )


def _secrets(endpoint: Endpoint, at: datetime) -> list[str]:
    """The newest first; while one is rotated, the one before it too."""
    ends_at = endpoint.previous_secret_ends_at
    overlapping = ends_at is not None and at < ends_at
    return [endpoint.secret, *([endpoint.previous_secret] if overlapping else [])]


def _hear(response: httpx.Response, answer: bytearray) -> None:
    """Hear the answer out, so that an orderly receiver sees no reset, but not for ever."""
    for chunk in response.iter_raw():
        answer += chunk[: LONGEST_ANSWER - len(answer)]
        if len(answer) >= LONGEST_ANSWER:
            return


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and both errors and answers quote what the receiver sent."""
    return text.replace("\x00", "")


def _retry_after(text: str) -> timedelta | None:
    """The header `Retry-After`, as seconds or as a date (RFC 9110); None where it is neither."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        # Long enough numbers would overflow, and are beyond the limit anyway.
        wait = timedelta(seconds=int(text[:9]))
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wait = date.replace(tzinfo=date.tzinfo or UTC) - timezone.now()
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)


def _record(delivery: Delivery, outcome: Outcome) -> None:
    """Log the attempt and move the delivery on, unless another attempt has overtaken this one."""
    number = delivery.attempts + 1
    place = number - delivery.attempts_before_replay
    changes = {
        "attempts": number,
        "under_way": False,
        "token": F("token") + 1,
        **_next_state(place, outcome),
    }
    with transaction.atomic():
        taken = Delivery.objects.filter(
            pk=delivery.pk, token=delivery.token, status=DeliveryStatus.PENDING
        ).update(**changes)
        if not taken:
            logger.warning("delivery %s: attempt %d was overtaken", delivery.pk, number)
            return
        DeliveryAttempt.objects.create(
            delivery_id=delivery.pk,
            number=number,
            started_at=outcome.started_at,
            duration=outcome.duration,
            status_code=outcome.status_code,
            error=outcome.error,
            answer=outcome.answer,
        )
        if outcome.accepted:
            endpoint_succeeded(endpoint_id=delivery.endpoint_id)
        else:
            endpoint_failed(endpoint_id=delivery.endpoint_id, gone=outcome.gone)
        place_freed(endpoint_id=delivery.endpoint_id)
    logger.info(
        "delivery %s: attempt %d, status %s %s",
        delivery.pk,
        number,
        outcome.status_code,
        outcome.error,
    )


def _next_state(place: int, outcome: Outcome) -> dict[str, Any]:
    """The fields of a delivery after the attempt at `place` of the schedule, counted from 1."""
    if outcome.accepted:
        return {
            "status": DeliveryStatus.DELIVERED,
            "next_attempt_at": None,
            "delivered_at": Now(),
        }
    if outcome.gone or place >= len(RETRY_SCHEDULE):
        return {"status": DeliveryStatus.FAILED, "next_attempt_at": None}
    delay = RETRY_SCHEDULE[place] * _random.uniform(1 - JITTER, 1 + JITTER)
    return {"next_attempt_at": Now() + max(delay, outcome.retry_after or timedelta(0))}
