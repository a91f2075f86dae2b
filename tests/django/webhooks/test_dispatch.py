"""Due deliveries become messages; while no broker takes them, their rows keep them."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis

from devstack.ports import free_port
from devstack.receiver import Receiver
from webhooks.delivery import delivery_attempt
from webhooks.dispatch import deliveries_dispatch
from webhooks.models import Delivery, DeliveryStatus

pytestmark = [pytest.mark.services, pytest.mark.django_db]

DeliverTo = Callable[[str], Delivery]
Receiving = Callable[..., tuple[Receiver, Delivery]]
NOWHERE = "http://127.0.0.1:1/"


def dispatch_all() -> None:
    """Other tests may have left deliveries that are due, and a call takes so many at most."""
    while deliveries_dispatch():
        pass


def messages_of(delivery: Delivery) -> list[tuple[str, int]]:
    """Task and token of what waits in the queue for this delivery; taken out of it."""
    found = []
    with Redis.from_url(settings.ENVIRONMENT.redis_url) as redis:
        for raw in redis.lrange("webhooks", 0, -1):
            message = json.loads(raw)
            (delivery_id, token), *_ = json.loads(base64.b64decode(message["body"]))
            if delivery_id == str(delivery.id):
                found.append((message["headers"]["task"], token))
                redis.lrem("webhooks", 1, raw)
    return found


def test_a_due_delivery_is_in_the_queue_once(deliver_to: DeliverTo) -> None:
    delivery = deliver_to(NOWHERE)
    dispatch_all()
    delivery.refresh_from_db()
    assert messages_of(delivery) == [("workers.deliver", delivery.token)]
    assert delivery.status == DeliveryStatus.PENDING
    dispatch_all()
    assert messages_of(delivery) == []


def test_only_what_is_due_is_sent(deliver_to: DeliverTo) -> None:
    later, done = deliver_to(NOWHERE), deliver_to(NOWHERE)
    Delivery.objects.filter(pk=later.pk).update(
        next_attempt_at=timezone.now() + timedelta(minutes=1)
    )
    Delivery.objects.filter(pk=done.pk).update(
        status=DeliveryStatus.DELIVERED, next_attempt_at=None
    )
    dispatch_all()
    assert messages_of(later) == messages_of(done) == []


def test_a_message_that_was_lost_is_sent_again_under_a_new_token(
    receiving: Receiving,
) -> None:
    receiver, delivery = receiving(200)
    dispatch_all()
    ((_, lost),) = messages_of(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
    dispatch_all()
    ((_, token),) = messages_of(delivery)
    assert token > lost
    delivery_attempt(delivery_id=delivery.id, token=lost)
    assert receiver.received() == []
    delivery_attempt(delivery_id=delivery.id, token=token)
    assert len(receiver.received()) == 1


def test_with_the_broker_down_nothing_is_lost(
    deliver_to: DeliverTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = deliver_to(NOWHERE)
    before = Delivery.objects.values("token", "next_attempt_at", "status").get(pk=delivery.pk)
    cut_off = Celery("cut-off", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    cut_off.conf.task_publish_retry_policy = {"max_retries": 0}
    with monkeypatch.context() as patched:
        patched.setattr("webhooks.dispatch.app", cut_off)
        with pytest.raises(OperationalError):
            deliveries_dispatch()
    after = Delivery.objects.values("token", "next_attempt_at", "status").get(pk=delivery.pk)
    assert after == before
    dispatch_all()
    assert len(messages_of(delivery)) == 1
