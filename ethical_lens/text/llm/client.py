"""One call to a chat model over HTTP, with structured output, time-outs and bounded retries.

https://platform.openai.com/docs/api-reference/chat and "Structured Outputs" there; vLLM,
llama.cpp's server and Ollama offer the same route.
"""

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import httpx

from ethical_lens.text.aligner import UnreadableReply
from ethical_lens.text.llm.breaker import CircuitBreaker
from ethical_lens.text.llm.errors import LlmNotConfigured, LlmRejected, LlmUnavailable, Refused
from ethical_lens.text.llm.patience import TRY_AGAIN, Patience, retry_after
from ethical_lens.text.llm.settings import LlmSettings

LONGEST_ANSWER: Final = 1024 * 1024
"""Bytes of an answer that are read; a longer one is none."""


class ChatClient:
    """A `ChatModel`: asks one model on one server. Threads may share it.

    It holds nothing of any request. Connections are not kept: calls are rare and long, and a kept
    one is often dead by then. Raises `LlmNotConfigured` for a base URL that is none.
    """

    def __init__(self, settings: LlmSettings) -> None:
        self.name = settings.model
        self._settings = settings
        self._url = _address(settings.base_url)
        self._breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_seconds)
        key = settings.api_key
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else None,
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            verify=_certificates(),
        )

    def complete(
        self,
        system: str,
        user: str | Sequence[Mapping[str, Any]],
        name: str,
        schema: Mapping[str, Any] | None,
    ) -> str:
        """What the model says to `system` and `user`, held by the server to JSON of `schema`.
        `user` is text, or parts as the API has them (`text`, `image_url`).

        The text comes back as it is and is not to be trusted to fit. Raises `LlmUnavailable` (also
        as `CircuitOpen`) where the server cannot be reached or is overloaded within the deadline,
        `LlmRejected` where it refuses the request, `UnreadableReply` where the answer is no
        completion or was cut off, and as `Refused` where it is a refusal.
        """
        body: dict[str, Any] = {
            "model": self._settings.model,
            "temperature": self._settings.temperature,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": user},
            ],
        }
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": schema},
            }
        with self._breaker.call():
            answer = self._ask(body)
        return _content(answer)

    def _ask(self, body: Mapping[str, Any]) -> bytes:
        """Try until there is an answer, the retries are used up, or the deadline would pass."""
        patience = Patience(self._settings)
        while True:
            try:
                return self._try(body, patience.seconds)
            except LlmUnavailable as error:
                if not patience.wait(error.retry_after):
                    raise

    def _try(self, body: Mapping[str, Any], seconds: float) -> bytes:
        """One request. A server that sends a little now and then is cut off too."""
        end = time.monotonic() + seconds
        request = self._http.build_request(
            "POST",
            self._url,
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            timeout=seconds,
        )
        try:
            with closing(self._http.send(request, stream=True)) as response:
                _check(response)
                answer = bytearray()
                for chunk in response.iter_bytes():
                    answer += chunk
                    if len(answer) > LONGEST_ANSWER:
                        raise UnreadableReply("the answer is too long")
                    if time.monotonic() > end:
                        raise LlmUnavailable(f"the LLM did not finish within {seconds:.3g} s")
                return bytes(answer)
        except httpx.TimeoutException as error:
            raise LlmUnavailable(f"the LLM did not answer within {seconds:.3g} s") from error
        except httpx.HTTPError as error:
            raise LlmUnavailable(f"the LLM was not reached: {type(error).__name__}") from error


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes much of a second on a busy machine."""
    return httpx.create_ssl_context()


def _address(base_url: str) -> httpx.URL:
    try:
        return httpx.URL(base_url.rstrip("/") + "/chat/completions")
    except httpx.InvalidURL as error:
        raise LlmNotConfigured("LLM_BASE_URL is no address") from error


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in TRY_AGAIN:
        raise LlmUnavailable(f"the LLM answered {status}", retry_after(response))
    if status != HTTPStatus.OK:
        raise LlmRejected(f"the LLM answered {status}", status)


def _content(answer: bytes) -> str:
    """The text of the first choice. Raises `UnreadableReply` where that is not a whole one."""
    try:
        choice = json.loads(answer)["choices"][0]
        message = choice["message"]
        reason, refusal, content = (
            choice["finish_reason"],
            message.get("refusal"),
            message["content"],
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableReply("the answer is no chat completion") from error
    if refusal or reason == "content_filter":
        raise Refused("the model refused to answer")
    if reason != "stop" or not isinstance(content, str):
        raise UnreadableReply("the model did not finish its answer")
    return content
