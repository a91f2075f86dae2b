"""One delivery, attempt by attempt, to receivers that behave well and badly."""

import json
import logging
import socket
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from devstack.receiver import Answer, Receiver
from factories import make_job
from webhooks.delivery import JITTER, LONGEST_ANSWER, RETRY_SCHEDULE, delivery_attempt
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Endpoint, EventType
from webhooks.services import event_record

pytestmark = [pytest.mark.services, pytest.mark.django_db]

Receiving = Callable[..., tuple[Receiver, Delivery]]
DeliverTo = Callable[[str], Delivery]
Serve = Callable[..., int]
Resolve = Callable[..., list[str]]
Change = Callable[..., None]


def attempt(delivery: Delivery) -> DeliveryAttempt:
    """Try the delivery once, as the message of the moment does; the log of it."""
    delivery.refresh_from_db()
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    delivery.refresh_from_db()
    return delivery.log.latest("number")


def wait_of(delivery: Delivery) -> float:
    """Seconds until the next attempt."""
    assert delivery.next_attempt_at is not None
    return (delivery.next_attempt_at - timezone.now()).total_seconds()


def about(delay: timedelta) -> object:
    return pytest.approx(delay.total_seconds(), rel=JITTER, abs=2)


def hear_out(connection: socket.socket) -> None:
    """Read the request to its end, so that what follows is the receiver's doing alone."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    (length,) = (
        int(line.split(b":")[1])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(length)


def test_an_event_arrives_signed(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    log = attempt(delivery)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)
    assert delivery.next_attempt_at is None
    assert delivery.delivered_at is not None
    assert (log.number, log.status_code, log.error) == (1, 200, "")
    assert timedelta(0) < log.duration < timedelta(seconds=5)

    (received,) = receiver.received()
    event = delivery.event
    assert received.verified
    assert received.method == "POST"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("Ethical-Lens")
    assert received.headers["webhook-id"] == str(event.id)
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 5
    assert received.payload == {
        "type": "job.succeeded",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": {"id": str(event.job_id), "note": "ein Männchen", "sequence": 1},
    }


def test_one_changed_byte_breaks_the_signature(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    attempt(delivery)
    (received,) = receiver.received()
    webhook = Webhook(delivery.endpoint.secret)
    webhook.verify(received.body, received.headers)
    for position in (0, len(received.body) // 2, -1):
        changed = bytearray(received.body)
        changed[position] ^= 1
        with pytest.raises(WebhookVerificationError):
            webhook.verify(bytes(changed), received.headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(received.body, {**received.headers, "webhook-id": "another"})


def test_a_receiver_refuses_what_is_old_and_an_age_that_was_changed(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    attempt(delivery)
    (received,) = receiver.received()
    webhook, sent_at = Webhook(delivery.endpoint.secret), int(received.headers["webhook-timestamp"])
    old = str(sent_at - 600)
    signature = webhook.sign(
        received.id, datetime.fromtimestamp(int(old), UTC), received.body.decode()
    )
    for headers in ({"webhook-timestamp": old}, {"webhook-signature": signature}):
        with pytest.raises(WebhookVerificationError):
            webhook.verify(received.body, {**received.headers, **headers})
    with pytest.raises(WebhookVerificationError, match="too old"):
        webhook.verify(
            received.body,
            {**received.headers, "webhook-timestamp": old, "webhook-signature": signature},
        )


def test_a_retry_is_the_same_event_under_the_same_id(receiving: Receiving) -> None:
    receiver, delivery = receiving(500, 200)
    log = attempt(delivery)
    assert (log.status_code, delivery.status) == (500, DeliveryStatus.PENDING)
    assert wait_of(delivery) == about(RETRY_SCHEDULE[1])
    attempt(delivery)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 2)
    first, second = receiver.received()
    assert first.verified
    assert second.verified
    assert first.id == second.id == str(delivery.event_id)
    assert first.body == second.body


def test_a_receiver_that_hangs_is_given_up_on_in_time(
    receiving: Receiving, environment: Change
) -> None:
    environment(webhook_timeout_seconds=0.3)
    _, delivery = receiving(Answer(200, delay=30))
    log = attempt(delivery)
    assert (log.status_code, log.error) == (None, "no complete answer within 0.3 s")
    assert log.duration < timedelta(seconds=3)
    assert delivery.status == DeliveryStatus.PENDING


@pytest.mark.parametrize(
    ("start", "status_code"),
    [(b"HTTP/1.1 200 OK\r\nX-Endless: ", None), (b"HTTP/1.1 200 OK\r\n\r\n", 200)],
    ids=["headers", "body"],
)
def test_a_receiver_that_dribbles_gains_no_time(
    start: bytes,
    status_code: int | None,
    deliver_to: DeliverTo,
    serve: Serve,
    environment: Change,
) -> None:
    environment(webhook_timeout_seconds=0.4)

    def dribble(connection: socket.socket) -> None:
        hear_out(connection)
        connection.sendall(start)
        while True:
            connection.sendall(b"a")
            time.sleep(0.05)

    delivery = deliver_to(f"http://127.0.0.1:{serve(dribble)}/")
    log = attempt(delivery)
    assert (log.status_code, log.error) == (status_code, "no complete answer within 0.4 s")
    assert log.duration < timedelta(seconds=3)
    assert delivery.status == DeliveryStatus.PENDING


def test_an_endless_answer_is_not_read_to_its_end(deliver_to: DeliverTo, serve: Serve) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        hear_out(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += connection.send(b"a" * 65536)

    delivery = deliver_to(f"http://127.0.0.1:{serve(flood)}/")
    log = attempt(delivery)
    assert (log.status_code, delivery.status) == (200, DeliveryStatus.DELIVERED)
    # What the sockets buffer is sent, too.
    assert sent < LONGEST_ANSWER + 16_000_000


def reset(connection: socket.socket) -> None:
    hear_out(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection: socket.socket) -> None:
    hear_out(connection)


def talk_nonsense(connection: socket.socket) -> None:
    hear_out(connection)
    connection.sendall(b"\x00\xff nothing of HTTP\r\n\r\n")


def break_off(connection: socket.socket) -> None:
    hear_out(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (reset, "the connection broke"),
        (hang_up, "no complete HTTP answer: "),
        (talk_nonsense, "no complete HTTP answer: "),
        (break_off, "no complete HTTP answer: "),
    ],
)
def test_a_broken_answer_is_a_failed_attempt(
    behaviour: Callable[[socket.socket], None], error: str, deliver_to: DeliverTo, serve: Serve
) -> None:
    delivery = deliver_to(f"http://127.0.0.1:{serve(behaviour)}/")
    assert error in attempt(delivery).error
    assert delivery.status == DeliveryStatus.PENDING
    assert wait_of(delivery) == about(RETRY_SCHEDULE[1])


def test_nobody_listening_is_a_failed_attempt(receiving: Receiving) -> None:
    receiver, delivery = receiving()
    receiver.stop()
    assert "Connection refused" in attempt(delivery).error
    assert delivery.status == DeliveryStatus.PENDING


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_when_it_is_longer(status: int, receiving: Receiving) -> None:
    at = datetime.now(UTC) + timedelta(minutes=20)
    _, delivery = receiving(
        Answer(status, retry_after=60),
        Answer(status, retry_after=60),
        Answer(status, retry_after=format_datetime(at, usegmt=True)),
        Answer(status, retry_after=format_datetime(at + timedelta(days=9), usegmt=True)),
        Answer(status, retry_after="9" * 400),
    )
    expected = [
        pytest.approx(60, abs=3),
        about(RETRY_SCHEDULE[2]),
        about(RETRY_SCHEDULE[3]),
        pytest.approx(24 * 3600, abs=3),
        pytest.approx(24 * 3600, abs=3),
    ]
    for wait in expected:
        assert attempt(delivery).status_code == status
        assert wait_of(delivery) == wait


@pytest.mark.parametrize(
    "retry_after", ["", "soon", "-1", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT", "Mon, 99 Xyz 1 1:1"]
)
def test_a_retry_after_that_says_nothing_is_ignored(retry_after: str, receiving: Receiving) -> None:
    _, delivery = receiving(Answer(429, retry_after=retry_after))
    attempt(delivery)
    assert wait_of(delivery) == about(RETRY_SCHEDULE[1])


def test_gone_disables_the_endpoint_and_ends_its_deliveries(receiving: Receiving) -> None:
    receiver, delivery = receiving(410)
    endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
    job = make_job(endpoint.tenant)
    other = event_record(
        tenant_id=endpoint.tenant_id, job_id=job.id, type=EventType.JOB_FAILED, sequence=1, data={}
    ).deliveries.get()
    assert attempt(delivery).status_code == 410
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.FAILED, None)
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert endpoint.disabled_reason == "the receiver answered 410 Gone"

    delivery_attempt(delivery_id=other.id, token=0)
    other.refresh_from_db()
    assert (other.status, other.attempts) == (DeliveryStatus.FAILED, 0)
    assert len(receiver.received()) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int, receiving: Receiving) -> None:
    inside, _ = receiving()
    receiver, delivery = receiving(Answer(status, location=inside.url))
    assert attempt(delivery).status_code == status
    assert delivery.status == DeliveryStatus.PENDING
    assert len(receiver.received()) == 1
    assert inside.received() == []


def test_after_the_last_attempt_the_delivery_has_failed(receiving: Receiving) -> None:
    receiver, delivery = receiving(*[500] * 20)
    for delay in RETRY_SCHEDULE[1:]:
        attempt(delivery)
        assert wait_of(delivery) == about(delay)
    attempt(delivery)
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.FAILED, None)
    assert delivery.attempts == len(RETRY_SCHEDULE) == 10
    assert [log.number for log in delivery.log.order_by("number")] == list(range(1, 11))

    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    assert len(receiver.received()) == 10


def test_a_message_counts_once(receiving: Receiving) -> None:
    receiver, delivery = receiving(500, 500)
    for _ in range(3):
        delivery_attempt(delivery_id=delivery.id, token=0)
    assert len(receiver.received()) == 1
    assert delivery.log.count() == 1


def test_a_message_of_an_unknown_or_finished_delivery_does_nothing(receiving: Receiving) -> None:
    receiver, delivery = receiving(200)
    delivery_attempt(delivery_id=UUID(int=0), token=0)
    attempt(delivery)
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    assert len(receiver.received()) == 1


def test_a_private_address_is_refused_at_each_attempt(
    receiving: Receiving, environment: Change
) -> None:
    """Permitted when the endpoint was made, but no longer."""
    receiver, delivery = receiving(200)
    environment(webhook_allowed_networks=())
    log = attempt(delivery)
    assert (log.status_code, log.error) == (None, "127.0.0.1 has an address that is not public")
    assert delivery.status == DeliveryStatus.PENDING
    assert wait_of(delivery) == about(RETRY_SCHEDULE[1])
    assert receiver.received() == []


def test_a_name_that_comes_to_mean_a_private_address_is_refused(
    deliver_to: DeliverTo, serve: Serve, resolve: Resolve, environment: Change
) -> None:
    """DNS rebinding between the endpoint's making and its use, and between two attempts."""
    environment(webhook_allowed_networks=("127.0.0.1/32",))
    reached: list[str] = []

    def listen(connection: socket.socket) -> None:
        reached.append(connection.getsockname()[0])
        hear_out(connection)
        connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    port = serve(listen)
    serve(listen, host="127.0.0.2", port=port)
    asked = resolve("rebind.example", ["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"])
    delivery = deliver_to(f"http://rebind.example:{port}/")
    assert attempt(delivery).status_code == 500
    assert attempt(delivery).error == "rebind.example has an address that is not public"
    assert reached == ["127.0.0.1"]
    assert len(asked) == 3


def test_a_proxy_of_the_environment_is_not_asked(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    _, delivery = receiving(200)
    assert attempt(delivery).status_code == 200


def test_the_secret_is_in_no_log_and_no_record(
    receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver, delivery = receiving(500)
    attempt(delivery)
    receiver.stop()
    attempt(delivery)
    secret = delivery.endpoint.secret.removeprefix("whsec_")
    told = [caplog.text, repr(delivery), repr(delivery.endpoint), str(delivery.endpoint)]
    told += [log.error for log in delivery.log.all()]
    told += [json.dumps(one.payload) + str(one.headers) for one in receiver.received()]
    assert caplog.text
    assert not [text for text in told if secret in text]
