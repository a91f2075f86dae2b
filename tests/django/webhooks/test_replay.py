"""After an outage events are sent once more: one, a range, all that failed; each once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from devstack.ports import free_port
from devstack.receiver import Receiver
from factories import make_job, make_tenant
from webhooks.delivery import RETRY_SCHEDULE, delivery_attempt
from webhooks.endpoints import endpoint_create, endpoint_disable, endpoint_enable, endpoint_test
from webhooks.errors import EndpointInactive
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event, EventType
from webhooks.redelivery import deliveries_replay, endpoint_replay
from webhooks.services import event_record

pytestmark = [pytest.mark.services, pytest.mark.django_db]

Receiving = Callable[..., tuple[Receiver, Delivery]]
DAY = timedelta(days=1)


def tell(endpoint: Endpoint, type: EventType = EventType.JOB_FAILED) -> Event:
    job = make_job(endpoint.tenant)
    return event_record(
        tenant_id=endpoint.tenant_id, job_id=job.id, type=type, sequence=1, data={"id": str(job.id)}
    )


def attempt_all(endpoint: Endpoint) -> None:
    due = endpoint.deliveries.filter(status="pending", next_attempt_at__lte=timezone.now())
    for delivery in due:
        delivery_attempt(delivery_id=delivery.id, token=delivery.token)


def test_a_days_outage_is_replayed_in_bulk_once_per_id() -> None:
    port = free_port()
    endpoint = endpoint_create(tenant_id=make_tenant().id, url=f"http://127.0.0.1:{port}/")
    lost = [tell(endpoint) for _ in range(5)]
    endpoint.deliveries.update(status=DeliveryStatus.FAILED, next_attempt_at=None, attempts=10)
    endpoint_disable(endpoint=endpoint, reason="an outage")
    missed = [tell(endpoint) for _ in range(3)]
    endpoint_enable(endpoint=endpoint)
    since = timezone.now() - DAY
    with Receiver(endpoint.secret, port=port) as receiver:
        assert endpoint_replay(endpoint=endpoint, since=since) == 8
        assert endpoint_replay(endpoint=endpoint, since=since) == 0
        assert endpoint_replay(endpoint=endpoint, only_failed=True) == 0
        attempt_all(endpoint)
        received = receiver.received()
    assert all(one.verified for one in received)
    assert sorted(one.id for one in received) == sorted(str(e.id) for e in (*lost, *missed))
    assert set(endpoint.deliveries.values_list("status", flat=True)) == {"delivered"}


def test_a_range_takes_what_lies_in_it_and_only_wanted_types() -> None:
    tenant = make_tenant()
    endpoint = endpoint_create(
        tenant_id=tenant.id, url="http://127.0.0.1:1/", event_types=[EventType.JOB_FAILED]
    )
    before, within, after = (tell(endpoint) for _ in range(3))
    unwanted = tell(endpoint, EventType.JOB_BLOCKED)
    other = endpoint_create(tenant_id=make_tenant().id, url="http://127.0.0.1:1/")
    elsewhere = tell(other)
    now = timezone.now()
    endpoint.deliveries.update(status="delivered", next_attempt_at=None, delivered_at=now)
    for event, age in ((before, 3 * DAY), (within, 2 * DAY), (after, DAY)):
        Event.objects.filter(pk=event.pk).update(created_at=F("created_at") - age)
    replayed = endpoint_replay(endpoint=endpoint, since=now - 2.5 * DAY, until=now - 1.5 * DAY)
    assert replayed == 1
    pending = endpoint.deliveries.get(status="pending")
    assert pending.event_id == within.id
    assert pending.delivered_at is None
    assert endpoint_replay(endpoint=endpoint, since=now - 4 * DAY) == 2
    assert not endpoint.deliveries.filter(event__in=[unwanted, elsewhere]).exists()


def test_only_what_failed(receiving: Receiving) -> None:
    _, delivery = receiving(200)
    endpoint = delivery.endpoint
    delivered = endpoint_test(endpoint=endpoint)
    Delivery.objects.filter(pk=delivered.pk).update(status="delivered", next_attempt_at=None)
    Delivery.objects.filter(pk=delivery.pk).update(status="failed", next_attempt_at=None)
    assert endpoint_replay(endpoint=endpoint, only_failed=True) == 1
    delivered.refresh_from_db()
    assert delivered.status == DeliveryStatus.DELIVERED


def test_a_replay_has_the_whole_schedule_before_it(receiving: Receiving) -> None:
    receiver, delivery = receiving(500, 500)
    last = len(RETRY_SCHEDULE)
    Delivery.objects.filter(pk=delivery.pk).update(
        status="failed", next_attempt_at=None, attempts=last
    )
    deliveries_replay(deliveries=Delivery.objects.filter(pk=delivery.pk))
    attempt_all(delivery.endpoint)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, last + 1)
    assert delivery.log.get().number == last + 1
    assert len(receiver.received()) == 1


def test_what_is_under_way_or_waits_for_its_retry(receiving: Receiving) -> None:
    _, delivery = receiving()
    own = Delivery.objects.filter(pk=delivery.pk)
    later = timezone.now() + DAY
    own.update(under_way=True, next_attempt_at=later)
    assert deliveries_replay(deliveries=own) == 0, "it is being sent"
    own.update(under_way=False)
    assert deliveries_replay(deliveries=own) == 1, "it need not wait"
    delivery.refresh_from_db()
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at < later


def test_nothing_is_replayed_to_an_inactive_endpoint(receiving: Receiving) -> None:
    _, delivery = receiving()
    Delivery.objects.filter(pk=delivery.pk).update(status="failed", next_attempt_at=None)
    endpoint_disable(endpoint=delivery.endpoint, reason="test")
    with pytest.raises(EndpointInactive):
        endpoint_replay(endpoint=delivery.endpoint, only_failed=True)
    assert deliveries_replay(deliveries=Delivery.objects.filter(pk=delivery.pk)) == 0
