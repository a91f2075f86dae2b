"""Events are written where their transition is written; endpoints are made here."""

import base64
import secrets
from typing import Any
from uuid import UUID

from django.utils import timezone

from config.rows import rows_insert, rows_read
from webhooks.addresses import url_check
from webhooks.models import Delivery, Endpoint, Event, EventType

_WANTING = """
SELECT id::text FROM webhooks_endpoint
WHERE tenant_id = %(tenant)s AND is_active
  AND (event_types = '{}' OR %(type)s = ANY(event_types))
"""


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
    event = Event(tenant_id=tenant_id, job_id=job_id, type=type.value, sequence=sequence, data=data)
    endpoints = rows_read(UUID, _WANTING, {"tenant": tenant_id, "type": type.value})
    now = timezone.now()
    deliveries = [
        Delivery(event=event, endpoint_id=endpoint, next_attempt_at=now) for endpoint in endpoints
    ]
    rows_insert([event, *deliveries])
    return event
