"""One call over real HTTP: what is sent, and every way in which a server can fail."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ethical_lens.text.aligner import AlignmentError, UnreadableReply
from ethical_lens.text.llm.breaker import CircuitBreaker
from ethical_lens.text.llm.client import LONGEST_ANSWER, ChatClient
from ethical_lens.text.llm.errors import (
    CircuitOpen,
    LlmNotConfigured,
    LlmRejected,
    LlmUnavailable,
)
from ethical_lens.text.llm.settings import LlmSettings
from scripted_llm import Answer, ScriptedLlm, Step, says

Settings = Callable[..., LlmSettings]
BUSY = Answer(status=503)


def complete(client: ChatClient) -> str:
    return client.complete("be brief", "hello", "greeting", {"type": "object"})


def seconds_of(call: Callable[[], object]) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


def test_what_is_sent(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(says("hi"))
    assert complete(ChatClient(settings(api_key="k-1", base_url=llm.url + "/"))) == "hi"
    (asked,) = llm.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer k-1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == {
        "model": "scripted-1",
        "temperature": 0.0,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "greeting", "strict": True, "schema": {"type": "object"}},
        },
    }


def test_without_a_key_no_authorization_is_sent(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(says("hi"))
    complete(ChatClient(settings()))
    assert "authorization" not in llm.asked[0].headers


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(llm: ScriptedLlm, settings: Settings, status: int) -> None:
    llm.answers(Answer(status=status), Answer(status=status), says("hi"))
    assert complete(ChatClient(settings(retries=2))) == "hi"
    assert len(llm.asked) == 3


def test_retries_are_bounded(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(Answer(status=500))
    with pytest.raises(LlmUnavailable, match="500"):
        complete(ChatClient(settings(retries=2)))
    assert len(llm.asked) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_what_will_not_change_is_not_tried_again(
    llm: ScriptedLlm, settings: Settings, status: int
) -> None:
    llm.answers(Answer(status=status, headers={"Location": llm.url + "/elsewhere"}), says("hi"))
    with pytest.raises(LlmRejected, match=str(status)):
        complete(ChatClient(settings()))
    assert len(llm.asked) == 1


def test_retry_after_is_waited_for(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(Answer(status=429, headers={"Retry-After": "1"}), says("hi"))
    assert seconds_of(lambda: complete(ChatClient(settings()))) >= 1.0


def test_retry_after_may_be_a_date(llm: ScriptedLlm, settings: Settings) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    llm.answers(Answer(status=503, headers={"Retry-After": at}), says("hi"))
    assert seconds_of(lambda: complete(ChatClient(settings()))) > 0.2  # whole seconds are told


@pytest.mark.parametrize("value", ["nan", "-1", "soon", "", "1e9"])
def test_a_senseless_retry_after_is_ignored(
    llm: ScriptedLlm, settings: Settings, value: str
) -> None:
    llm.answers(Answer(status=429, headers={"Retry-After": value}), says("hi"))
    assert seconds_of(lambda: complete(ChatClient(settings(deadline_seconds=4)))) < 4.0


def test_a_wait_past_the_deadline_is_not_begun(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(Answer(status=429, headers={"Retry-After": "60"}), says("hi"))
    start = time.monotonic()
    with pytest.raises(LlmUnavailable, match="429"):
        complete(ChatClient(settings(deadline_seconds=5)))
    assert time.monotonic() - start < 5.0
    assert len(llm.asked) == 1


@pytest.mark.parametrize("step", [Answer(hang=True), Answer(drip=True)], ids=["hang", "drip"])
def test_a_server_that_never_finishes_is_cut_off(
    llm: ScriptedLlm, settings: Settings, step: Step
) -> None:
    llm.answers(step)
    start = time.monotonic()
    with pytest.raises(LlmUnavailable, match=r"within 0\.2 s"):
        complete(ChatClient(settings(timeout_seconds=0.2, retries=0)))
    assert 0.2 <= time.monotonic() - start < 5.0


def test_the_deadline_bounds_all_tries_together(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(Answer(hang=True))
    start = time.monotonic()
    with pytest.raises(LlmUnavailable):
        complete(ChatClient(settings(timeout_seconds=0.5, deadline_seconds=0.8, retries=10)))
    assert time.monotonic() - start < 4.0


def test_a_server_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(LlmUnavailable, match="ConnectError"):
        complete(ChatClient(settings(base_url="http://127.0.0.1:9/v1", retries=0)))


def test_an_endless_answer_is_not_read_to_its_end(llm: ScriptedLlm, settings: Settings) -> None:
    llm.answers(Answer(b" " * (LONGEST_ANSWER + 1), drip=True))
    with pytest.raises(UnreadableReply, match="too long"):
        complete(ChatClient(settings()))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(b""), "no chat completion"),
        (Answer(b"<html>Bad gateway</html>"), "no chat completion"),
        (Answer(b"\xff\xfe\x00"), "no chat completion"),
        (Answer(b"[" * 100_000), "no chat completion"),
        (Answer(b"{}"), "no chat completion"),
        (Answer(b'{"choices": []}'), "no chat completion"),
        (Answer(b'{"choices": [{"message": null, "finish_reason": "stop"}]}'), "no chat"),
        (says(None), "did not finish"),
        (says("half", finish="length"), "did not finish"),
        (says("", finish="tool_calls"), "did not finish"),
        (says("", finish="content_filter"), "refused"),
        (says(None, refusal="I cannot help with that."), "refused"),
    ],
)
def test_what_is_no_whole_completion_is_refused(
    llm: ScriptedLlm, settings: Settings, answer: Answer, why: str
) -> None:
    llm.answers(answer)
    with pytest.raises(UnreadableReply, match=why):
        complete(ChatClient(settings()))
    assert len(llm.asked) == 1


def test_after_failures_in_a_row_nothing_is_asked_for_a_while(
    llm: ScriptedLlm, settings: Settings
) -> None:
    now = 100.0
    client = ChatClient(settings(retries=0))
    client._breaker = CircuitBreaker(2, 30, lambda: now)
    llm.answers(BUSY)
    for _ in range(2):
        with pytest.raises(LlmUnavailable):
            complete(client)
    for _ in range(3):
        with pytest.raises(CircuitOpen):
            complete(client)
    assert len(llm.asked) == 2

    now += 31
    with pytest.raises(LlmUnavailable, match="503"):  # half open: one trial, which fails
        complete(client)
    with pytest.raises(CircuitOpen):
        complete(client)
    assert len(llm.asked) == 3

    now += 31
    llm.answers(says("hi"))
    assert [complete(client) for _ in range(3)] == ["hi"] * 3


def test_the_settings_reach_the_breaker(llm: ScriptedLlm, settings: Settings) -> None:
    client = ChatClient(settings(retries=0, breaker_failures=1, breaker_seconds=60))
    llm.answers(BUSY)
    with pytest.raises(LlmUnavailable, match="503"):
        complete(client)
    with pytest.raises(CircuitOpen, match="not asked for"):
        complete(client)


def test_answers_about_a_request_say_nothing_of_the_server(
    llm: ScriptedLlm, settings: Settings
) -> None:
    """A user whose prompts are rejected or garbled must not shut out all others."""
    client = ChatClient(settings(breaker_failures=1))
    llm.answers(Answer(status=400), Answer(b"garbage"), says("hi"))
    for _ in range(2):
        with pytest.raises(AlignmentError):
            complete(client)
    assert complete(client) == "hi"


def test_no_error_tells_the_key(llm: ScriptedLlm, settings: Settings) -> None:
    client = ChatClient(settings(api_key="secret-key", retries=0))
    for step in (Answer(status=401, body=b"secret-key"), BUSY, Answer(b"secret-key")):
        llm.answers(step)
        with pytest.raises(AlignmentError) as refusal:
            complete(client)
        assert "secret-key" not in str(refusal.value)
    assert "secret-key" not in repr(settings(api_key="secret-key"))


def test_an_address_that_is_none_is_a_matter_of_configuration(settings: Settings) -> None:
    with pytest.raises(LlmNotConfigured, match="LLM_BASE_URL"):
        ChatClient(settings(base_url="http://localhost:port/v1"))
