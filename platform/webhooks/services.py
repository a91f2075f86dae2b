"""Events are written where their transition is written, with a delivery per endpoint."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from config.rows import rows_insert, rows_read
from webhooks.models import Delivery, Endpoint, Event, EventType

_WANTING = """
SELECT event.id, endpoint.id
FROM unnest(%(events)s::uuid[], %(tenants)s::uuid[], %(types)s::text[])
  AS event(id, tenant_id, type)
JOIN webhooks_endpoint endpoint ON endpoint.tenant_id = event.tenant_id
WHERE endpoint.is_active
  AND (endpoint.event_types = '{}' OR event.type = ANY(endpoint.event_types))
"""


def event_record(
    *, tenant_id: UUID, job_id: UUID | None, type: EventType, sequence: int, data: dict[str, Any]
) -> Event:
    """Write one event; as `events_record`."""
    event = Event(tenant_id=tenant_id, job_id=job_id, type=type.value, sequence=sequence, data=data)
    events_record([event])
    return event


def events_record(events: Sequence[Event]) -> None:
    """Write the events, and of each one pending delivery per active endpoint that wants it.

    To be called in the transaction of the transitions; `sequence` counts a job's events from 1,
    and is 0 where there is no job.
    """
    wanting = rows_read(
        lambda *pair: pair,
        _WANTING,
        {
            "events": [event.id for event in events],
            "tenants": [event.tenant_id for event in events],
            "types": [event.type for event in events],
        },
    )
    now = timezone.now()
    deliveries = [
        Delivery(event_id=event, endpoint_id=endpoint, next_attempt_at=now)
        for event, endpoint in wanting
    ]
    rows_insert([*events, *deliveries])


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
