"""An image API of the OpenAI shape, over real HTTP: what is asked, and what its answers mean."""

import base64
import io
import json
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from ethical_lens.evaluation.image_api import ImageApi, ImageApiFailed, ImageRefused
from ethical_lens.text.llm.errors import LlmNotConfigured
from scripted_llm import Answer, ScriptedLlm


def picture(color: str = "green", kind: str = "PNG") -> Answer:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), color).save(out, kind)
    data = {"b64_json": base64.b64encode(out.getvalue()).decode(), "revised_prompt": "x"}
    return Answer(json.dumps({"created": 1, "data": [data]}).encode())


def refusal(code: str = "content_policy_violation", status: int = 400) -> Answer:
    return Answer(json.dumps({"error": {"code": code, "message": "No."}}).encode(), status=status)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedLlm]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedLlm() as running:
        monkeypatch.setenv("IMAGE_API_BASE_URL", running.url)
        monkeypatch.setenv("IMAGE_API_MODEL", "scripted-painter")
        monkeypatch.setenv("IMAGE_API_API_KEY", "secret-key")
        monkeypatch.setenv("IMAGE_API_RETRY_SECONDS", "0.01")
        yield running


def test_one_picture_is_asked_for_and_read(server: ScriptedLlm) -> None:
    server.answers(picture("red", "JPEG"))
    api = ImageApi.load()

    image = api.paint("a doctor")

    assert (image.mode, image.size) == ("RGB", (16, 16))
    (asked,) = server.asked
    assert asked.path == "/v1/images/generations"
    assert asked.headers["authorization"] == "Bearer secret-key"
    assert asked.body == {
        "model": "scripted-painter", "prompt": "a doctor", "n": 1, "size": "1024x1024",
        "response_format": "b64_json",
    }  # fmt: skip
    assert api.version == "scripted-painter 1024x1024 127.0.0.1"


def test_models_that_always_send_pictures_are_not_told_to(
    server: ScriptedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_API_MODEL", "gpt-image-1")
    server.answers(picture())
    ImageApi.load().paint("a doctor")
    assert "response_format" not in server.asked[0].body


@pytest.mark.parametrize("code", ["content_policy_violation", "moderation_blocked"])
def test_a_refusal_is_a_refusal_at_once(code: str, server: ScriptedLlm) -> None:
    server.answers(refusal(code))
    with pytest.raises(ImageRefused):
        ImageApi.load().paint("a doctor")
    assert len(server.asked) == 1


def test_an_overload_is_tried_again(server: ScriptedLlm) -> None:
    server.answers(Answer(b"", status=503), Answer(b"", status=429), picture())
    assert ImageApi.load().paint("a doctor").size == (16, 16)
    assert len(server.asked) == 3


def test_a_server_that_asks_for_time_gets_it(server: ScriptedLlm) -> None:
    server.answers(Answer(b"", status=429, headers={"Retry-After": "1"}), picture())
    began = time.monotonic()

    ImageApi.load().paint("a doctor")

    assert 1.0 <= time.monotonic() - began < 5.0


def test_it_is_not_waited_for_past_the_deadline(
    server: ScriptedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_API_DEADLINE_SECONDS", "2")
    server.answers(Answer(b"", status=503, headers={"Retry-After": "3600"}))

    with pytest.raises(ImageApiFailed, match="answered 503"):
        ImageApi.load().paint("a doctor")
    assert len(server.asked) == 1


def test_an_answer_that_drips_in_is_cut_off(
    server: ScriptedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_API_TIMEOUT_SECONDS", "0.3")
    monkeypatch.setenv("IMAGE_API_RETRIES", "0")
    server.answers(Answer(b"{", drip=True))

    with pytest.raises(ImageApiFailed, match="ReadTimeout"):
        ImageApi.load().paint("a doctor")


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (refusal("invalid_api_key", 401), 1),
        (refusal("billing_hard_limit_reached"), 1),
        (Answer(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}), 1),
        (Answer(b"", status=500), 3),
        (Answer(b"no json"), 1),
        (Answer(json.dumps({"data": [{"url": "http://127.0.0.1:1/x.png"}]}).encode()), 1),
        (Answer(json.dumps({"data": [{"b64_json": "R0lGODlh"}]}).encode()), 1),
        (Answer(json.dumps({"data": []}).encode()), 1),
    ],
)
def test_nothing_else_is_taken_for_a_refusal_or_a_picture(
    answer: Answer, asked: int, server: ScriptedLlm
) -> None:
    server.answers(answer)
    with pytest.raises(ImageApiFailed):
        ImageApi.load().paint("a doctor")
    assert len(server.asked) == asked


def test_without_settings_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_API_BASE_URL", raising=False)
    monkeypatch.delenv("IMAGE_API_MODEL", raising=False)
    with pytest.raises(LlmNotConfigured, match=r"IMAGE_API_BASE_URL is missing"):
        ImageApi.load()
