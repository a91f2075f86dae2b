"""Events are written where their transition is written; endpoints are made here."""

import base64
import secrets
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from webhooks.addresses import url_check
from webhooks.models import Delivery, Endpoint, Event, EventType


def endpoint_create(
    *, tenant_id: UUID, url: str, event_types: tuple[EventType, ...] = ()
) -> Endpoint:
    """Register `url` with a new signing secret (`whsec_` and 32 random bytes, base64).

    Raises `WebhookURLRefused` where webhooks may not be sent to `url`.
    """
    url_check(url)
    return Endpoint.objects.create(
        tenant_id=tenant_id,
        url=url,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        event_types=[event_type.value for event_type in event_types],
    )


def event_record(
    *, tenant_id: UUID, job_id: UUID, type: EventType, sequence: int, data: dict[str, Any]
) -> Event:
    """Write the event and one pending delivery per active endpoint that wants it.

    To be called in the transaction of the transition; `sequence` counts the job's events from 1.
    """
    event = Event.objects.create(
        tenant_id=tenant_id,
        job_id=job_id,
        type=type.value,
        sequence=sequence,
        data=data,
    )
    endpoints = Endpoint.objects.filter(
        Q(event_types=[]) | Q(event_types__contains=[type.value]),
        tenant_id=tenant_id,
        is_active=True,
    )
    Delivery.objects.bulk_create(
        Delivery(event=event, endpoint=endpoint, next_attempt_at=timezone.now())
        for endpoint in endpoints
    )
    return event
