"""Events are written where their transition is written, with a delivery per endpoint."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from config.rows import rows_insert, rows_read
from webhooks.models import Delivery, Endpoint, Event, EventType

_WANTING = """
SELECT id::text FROM webhooks_endpoint
WHERE tenant_id = %(tenant)s AND is_active
  AND (event_types = '{}' OR %(type)s = ANY(event_types))
"""


def event_record(
    *, tenant_id: UUID, job_id: UUID | None, type: EventType, sequence: int, data: dict[str, Any]
) -> Event:
    """Write the event and one pending delivery per active endpoint that wants it.

    To be called in the transaction of the transition; `sequence` counts the job's events from 1,
    and is 0 where there is no job.
    """
    event = Event(tenant_id=tenant_id, job_id=job_id, type=type.value, sequence=sequence, data=data)
    endpoints = rows_read(UUID, _WANTING, {"tenant": tenant_id, "type": type.value})
    now = timezone.now()
    deliveries = [
        Delivery(event=event, endpoint_id=endpoint, next_attempt_at=now) for endpoint in endpoints
    ]
    rows_insert([event, *deliveries])
    return event


def event_test(*, endpoint: Endpoint) -> Delivery:
    """Write a test event for this endpoint alone, whatever types it wants; its delivery is due."""
    event = Event(
        tenant_id=endpoint.tenant_id,
        type=EventType.ENDPOINT_TEST.value,
        sequence=0,
        data={"id": str(endpoint.id)},
    )
    delivery = Delivery(event=event, endpoint=endpoint, next_attempt_at=timezone.now())
    rows_insert([event, delivery])
    return delivery
