"""Replay: events are sent once more, because somebody asks for it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from jobs.outbox import dispatcher_wake
from webhooks.errors import EndpointInactive
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event, EventType

_AT_REST: Final = ~Q(status=DeliveryStatus.PENDING) | Q(under_way=False, next_attempt_at__gt=Now())
"""What is under way or due already is being sent: asking twice sends once."""
WRITTEN_AT_ONCE: Final = 500


def deliveries_replay(*, deliveries: QuerySet[Delivery]) -> int:
    """Make them due now, with the whole schedule of attempts before them. How many were changed.

    Those of inactive endpoints, and those that are being sent anyway, stay as they are. The
    receiver tells a repetition by its `webhook-id`, which stays.
    """
    with transaction.atomic():
        _alone()
        chosen = deliveries.filter(endpoint__is_active=True).order_by()
        replayed = Delivery.objects.filter(_AT_REST, pk__in=chosen.values("pk")).update(
            status=DeliveryStatus.PENDING,
            next_attempt_at=Now(),
            delivered_at=None,
            attempts_before_replay=F("attempts"),
            under_way=False,
            token=F("token") + 1,
        )
        dispatcher_wake()
    return replayed


def endpoint_replay(
    *,
    endpoint: Endpoint,
    since: datetime | None = None,
    until: datetime | None = None,
    only_failed: bool = False,
) -> int:
    """Replay the events of a time range to the endpoint, or only those that failed. How many.

    Unless only failed ones are asked for, what the endpoint never got because it was disabled, or
    not there yet, is sent too, if it is of a type it wants. Raises `EndpointInactive`.
    """
    events = Event.objects.filter(tenant=endpoint.tenant_id)
    if since is not None:
        events = events.filter(created_at__gte=since)
    if until is not None:
        events = events.filter(created_at__lt=until)
    with transaction.atomic():
        _alone()
        if not Endpoint.objects.get(pk=endpoint.pk).is_active:
            raise EndpointInactive(f"{endpoint} is not active")
        deliveries = Delivery.objects.filter(endpoint=endpoint, event__in=events)
        if only_failed:
            return deliveries_replay(deliveries=deliveries.filter(status=DeliveryStatus.FAILED))
        replayed = deliveries_replay(deliveries=deliveries)
        return replayed + _missed_add(endpoint, events)


def _missed_add(endpoint: Endpoint, events: QuerySet[Event]) -> int:
    """Deliveries for events that the endpoint was never to get."""
    missed = events.exclude(type=EventType.ENDPOINT_TEST).exclude(
        pk__in=Delivery.objects.filter(endpoint=endpoint).values("event")
    )
    if endpoint.event_types:
        missed = missed.filter(type__in=endpoint.event_types)
    now = timezone.now()
    ids: list[UUID] = list(missed.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.bulk_create(
        [Delivery(event_id=event, endpoint=endpoint, next_attempt_at=now) for event in ids],
        batch_size=WRITTEN_AT_ONCE,
        ignore_conflicts=True,
    )
    return len(ids)


def _alone() -> None:
    """Wait until no other replay is under way: it locks many rows, in whatever order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('replay'))")
