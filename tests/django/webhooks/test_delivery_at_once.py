"""What others see and do while a request is under way."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connection, transaction

from devstack.receiver import Answer, Receiver
from webhooks.delivery import delivery_attempt
from webhooks.models import Delivery, DeliveryStatus, Endpoint

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]

Receiving = Callable[..., tuple[Receiver, Delivery]]


@contextmanager
def background(delivery: Delivery, *, token: int) -> Iterator[threading.Thread]:
    """An attempt in a thread with a connection of its own, over when the block is left."""

    def run() -> None:
        try:
            delivery_attempt(delivery_id=delivery.id, token=token)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(10)
    assert not thread.is_alive()


def test_nothing_is_locked_while_the_receiver_thinks(receiving: Receiving) -> None:
    receiver, delivery = receiving(Answer(200, delay=0.5))
    with background(delivery, token=0) as thread:
        receiver.wait_for(lambda _: True)
        with transaction.atomic():
            Delivery.objects.select_for_update(nowait=True).get(pk=delivery.pk)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
                " AND query LIKE '%webhooks_%' AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)
        assert thread.is_alive()
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED


def test_an_attempt_that_was_overtaken_changes_nothing(
    receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    receiver, delivery = receiving(Answer(410, delay=0.3), 200)
    with background(delivery, token=0):
        receiver.wait_for(lambda _: True)
        # The dispatcher takes the first for lost and sends another message.
        Delivery.objects.filter(pk=delivery.pk).update(token=7)
        delivery_attempt(delivery_id=delivery.id, token=7)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)
    assert [log.status_code for log in delivery.log.all()] == [200]
    assert Endpoint.objects.get(pk=delivery.endpoint_id).is_active
    assert "was overtaken" in caplog.text
    first, second = receiver.received()
    assert first.id == second.id


def test_two_copies_of_a_message_are_one_attempt(receiving: Receiving) -> None:
    receiver, delivery = receiving(Answer(200, delay=0.2))
    with background(delivery, token=0), background(delivery, token=0):
        pass
    assert len(receiver.received()) == 1


def test_a_message_faster_than_its_commit_waits_for_it(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    with ExitStack() as stack, transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(token=1)
        stack.enter_context(background(delivery, token=1))
        time.sleep(0.2)
        assert receiver.received() == []
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
