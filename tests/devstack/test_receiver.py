"""The webhook receiver: signatures, and answers as scripted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from devstack.receiver import Answer, Receiver

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
OTHER = "whsec_" + "b3RoZXItb3RoZXItb3RoZXItb3RoZXI="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(SECRET) as running:
        yield running


def signed(
    payload: object, *, secret: str = SECRET, age: timedelta = timedelta(), name: str = "msg_1"
) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(payload).encode()
    at = datetime.now(UTC) - age
    return body, {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body.decode()),
        "content-type": "application/json",
    }


def send(receiver: Receiver, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(receiver.url, content=body, headers=headers, trust_env=False)


def test_a_correct_signature_is_accepted_and_the_event_kept(receiver: Receiver) -> None:
    body, headers = signed({"type": "job.succeeded", "data": {"id": 7}})
    assert send(receiver, body, headers).status_code == 204
    (event,) = receiver.received()
    assert event.verified
    assert event.id == "msg_1"
    assert event.payload == {"type": "job.succeeded", "data": {"id": 7}}
    assert event.body == body
    assert (event.method, event.path, event.answered) == ("POST", "/webhooks", 204)
    assert time.time() - 5 < event.at <= time.time()


@pytest.mark.parametrize("position", [0, 5, -1])
def test_a_changed_byte_is_refused(receiver: Receiver, position: int) -> None:
    body, headers = signed({"type": "job.succeeded"})
    changed = bytearray(body)
    changed[position] ^= 1
    assert send(receiver, bytes(changed), headers).status_code == 401
    assert [event.verified for event in receiver.received()] == [False]


@pytest.mark.parametrize("minutes", [6, -6])
def test_a_timestamp_too_far_away_is_refused(receiver: Receiver, minutes: int) -> None:
    body, headers = signed({}, age=timedelta(minutes=minutes))
    assert send(receiver, body, headers).status_code == 401


@pytest.mark.parametrize(
    "signature", ["", "v1", "v1,%%%", "v2,abcd", "v1,AAAA", "nonsense,with,commas"]
)
def test_a_signature_that_is_none_is_refused(receiver: Receiver, signature: str) -> None:
    body, headers = signed({})
    assert send(receiver, body, {**headers, "webhook-signature": signature}).status_code == 401
    assert send(receiver, b"\xff\xfe", headers).status_code == 401


def test_an_old_and_a_new_secret_are_accepted_during_a_change() -> None:
    with Receiver([OTHER, SECRET]) as receiver:
        for secret in (SECRET, OTHER):
            assert send(receiver, *signed({}, secret=secret)).status_code == 204
    with Receiver(OTHER) as receiver:
        assert send(receiver, *signed({})).status_code == 401


def test_answers_follow_the_script_and_then_the_default(receiver: Receiver) -> None:
    receiver.script(
        500,
        Answer(503, retry_after=2),
        Answer(302, location=f"{receiver.url}/elsewhere"),
        Answer(200, delay=0.2, body=b"taken"),
    )
    body, headers = signed({})
    assert send(receiver, body, headers).status_code == 500
    busy = send(receiver, body, headers)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "2")
    moved = send(receiver, body, headers)
    assert (moved.status_code, moved.headers["location"]) == (302, f"{receiver.url}/elsewhere")
    started = time.monotonic()
    slow = send(receiver, body, headers)
    assert (slow.status_code, slow.content) == (200, b"taken")
    assert time.monotonic() - started >= 0.2
    assert send(receiver, body, headers).status_code == 204
    assert [event.answered for event in receiver.received()] == [500, 503, 302, 200, 204]


def test_a_forged_delivery_takes_no_scripted_answer(receiver: Receiver) -> None:
    receiver.script(500)
    body, headers = signed({})
    assert send(receiver, body + b" ", headers).status_code == 401
    assert send(receiver, body, headers).status_code == 500


def test_a_followed_redirect_is_seen(receiver: Receiver) -> None:
    receiver.script(Answer(302, location="/elsewhere"))
    body, headers = signed({})
    httpx.post(receiver.url, content=body, headers=headers, follow_redirects=True, trust_env=False)
    assert [(one.method, one.path) for one in receiver.received()] == [
        ("POST", "/webhooks"),
        ("GET", "/elsewhere"),
    ]


def test_waiting_finds_what_came_and_says_what_did_not(receiver: Receiver) -> None:
    send(receiver, *signed({"n": 1}, name="msg_a"))
    assert receiver.wait_for(lambda event: event.id == "msg_a", 0).payload == {"n": 1}
    with pytest.raises(TimeoutError, match="msg_a:204"):
        receiver.wait_for(lambda event: event.id == "msg_b", 0.05)
    receiver.clear()
    assert receiver.received() == []


def test_a_slow_answer_does_not_hold_up_the_end() -> None:
    with Receiver(SECRET, answer=Answer(delay=30)) as receiver:
        body, headers = signed({})
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(receiver.url, content=body, headers=headers, timeout=0.2, trust_env=False)
        started = time.monotonic()
    assert time.monotonic() - started < 2
