"""Rotation, test events, and endpoints that are disabled because they fail."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from devstack.receiver import Answer, Receiver
from factories import make_job
from jobs.services import job_cancel
from webhooks import endpoints
from webhooks.delivery import LONGEST_ANSWER, delivery_attempt
from webhooks.endpoints import (
    endpoint_create,
    endpoint_disable,
    endpoint_enable,
    endpoint_rotate,
    endpoint_test,
    previous_secrets_forget,
)
from webhooks.errors import EndpointInactive, TooManyEndpoints
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event, EventType
from webhooks.redelivery import endpoint_replay

pytestmark = [pytest.mark.services, pytest.mark.django_db]

Receiving = Callable[..., tuple[Receiver, Delivery]]
NOWHERE = "http://127.0.0.1:1/"


def attempt(delivery: Delivery) -> None:
    delivery.refresh_from_db()
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    delivery.refresh_from_db()


def verifies(received: object, secret: str) -> bool:
    try:
        Webhook(secret).verify(received.body, received.headers)  # type: ignore[attr-defined]
    except WebhookVerificationError:
        return False
    return True


def test_while_a_secret_is_rotated_both_sign(receiving: Receiving) -> None:
    receiver, delivery = receiving(500, 500, 500)
    endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
    old = endpoint.secret
    endpoint_rotate(endpoint=endpoint, overlap=timedelta(hours=1))
    attempt(delivery)
    (received,) = receiver.received()
    assert received.headers["webhook-signature"].count("v1,") == 2
    assert endpoint.secret != old
    assert verifies(received, old)
    assert verifies(received, endpoint.secret)

    Endpoint.objects.filter(pk=endpoint.pk).update(previous_secret_ends_at=timezone.now())
    attempt(delivery)
    received = receiver.received()[-1]
    assert not verifies(received, old)
    assert verifies(received, endpoint.secret)
    assert previous_secrets_forget() >= 1
    endpoint.refresh_from_db()
    assert (endpoint.previous_secret, endpoint.previous_secret_ends_at) == ("", None)


def test_a_secret_that_leaked_ends_at_once(receiving: Receiving) -> None:
    receiver, delivery = receiving(500)
    endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
    leaked = endpoint.secret
    endpoint_rotate(endpoint=endpoint, overlap=timedelta(hours=1))
    endpoint_rotate(endpoint=endpoint, overlap=timedelta(0))
    attempt(delivery)
    (received,) = receiver.received()
    assert not verifies(received, leaked)
    assert received.headers["webhook-signature"].count("v1,") == 1


def test_a_test_event_goes_to_its_endpoint_alone(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    endpoint = delivery.endpoint
    endpoint_create(tenant_id=endpoint.tenant_id, url=NOWHERE)
    Endpoint.objects.filter(pk=endpoint.pk).update(event_types=[EventType.JOB_FAILED.value])
    sent = endpoint_test(endpoint=endpoint)
    assert sent.event.deliveries.count() == 1
    attempt(sent)
    (received,) = receiver.received()
    assert received.verified
    assert received.payload["type"] == "endpoint.test"
    assert received.payload["data"] == {"id": str(endpoint.id)}
    endpoint_disable(endpoint=endpoint, reason="test")
    with pytest.raises(EndpointInactive):
        endpoint_test(endpoint=endpoint)


def failing(delivery: Delivery, since: timedelta) -> Endpoint:
    endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=timezone.now() - since)
    return endpoint


def told(endpoint: Endpoint) -> list[Event]:
    return list(Event.objects.filter(tenant=endpoint.tenant_id, type="endpoint.disabled"))


def test_after_days_of_failure_an_endpoint_is_disabled_and_the_others_are_told(
    receiving: Receiving,
) -> None:
    receiver, delivery = receiving(500, 500)
    endpoint = failing(delivery, timedelta(days=4))
    other = endpoint_create(tenant_id=endpoint.tenant_id, url=NOWHERE)
    attempt(delivery)
    endpoint.refresh_from_db()
    assert endpoint.is_active
    failing(delivery, timedelta(days=5, seconds=1))
    attempt(delivery)
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert endpoint.disabled_reason == "every attempt failed for too long"
    (event,) = told(endpoint)
    assert event.data["id"] == str(endpoint.id)
    assert [d.endpoint_id for d in event.deliveries.all()] == [other.id]

    attempt(delivery)
    assert len(receiver.received()) == 2
    assert delivery.status == DeliveryStatus.FAILED
    endpoint_enable(endpoint=endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_reason) == (True, "")
    assert endpoint.failing_since is None


def test_one_that_answers_in_between_is_not_disabled(receiving: Receiving) -> None:
    _, delivery = receiving(200, 500)
    endpoint = failing(delivery, timedelta(days=9))
    attempt(delivery)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None
    attempt(endpoint_test(endpoint=endpoint))
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert endpoint.failing_since is not None


def test_gone_is_told_to_the_others(receiving: Receiving) -> None:
    _, delivery = receiving(410)
    other = endpoint_create(tenant_id=delivery.endpoint.tenant_id, url=NOWHERE)
    attempt(delivery)
    (event,) = told(delivery.endpoint)
    assert event.data["reason"] == "the receiver answered 410 Gone"
    assert [d.endpoint_id for d in event.deliveries.all()] == [other.id]


def test_an_only_endpoint_that_was_disabled_gets_what_it_missed_by_a_replay(
    receiving: Receiving,
) -> None:
    _, delivery = receiving(410)
    endpoint = delivery.endpoint
    attempt(delivery)
    (event,) = told(endpoint)
    assert not event.deliveries.exists(), "nobody is left to be told"
    ended = job_cancel(job_id=make_job(endpoint.tenant).id)
    missed = Delivery.objects.filter(event__job=ended)
    assert (ended.events.count(), missed.count()) == (1, 0)
    endpoint_enable(endpoint=endpoint)
    endpoint_replay(endpoint=endpoint, since=ended.created_at)
    attempt(missed.get())
    assert missed.get().status == DeliveryStatus.DELIVERED


def test_of_an_answer_16_kib_are_kept(receiving: Receiving) -> None:
    body = b"nul \x00 and \xff " + b"x" * 20_000
    _, delivery = receiving(Answer(500, body=body), Answer(200, body=b"taken"))
    attempt(delivery)
    attempt(delivery)
    long, short = delivery.log.order_by("number")
    assert long.answer.startswith("nul  and \ufffd xxx")
    assert len(long.answer) == LONGEST_ANSWER - 1 == 16 * 1024 - 1
    assert short.answer == "taken"


def test_a_tenant_has_so_many_active_endpoints(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1)
    _, delivery = receiving(200)
    first = delivery.endpoint
    with pytest.raises(TooManyEndpoints):
        endpoint_create(tenant_id=first.tenant_id, url=NOWHERE)
    endpoint_disable(endpoint=first, reason="test")
    endpoint_create(tenant_id=first.tenant_id, url=NOWHERE)
    with pytest.raises(TooManyEndpoints):
        endpoint_enable(endpoint=first)
