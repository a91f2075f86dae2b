"""A webhook receiver: checks Standard Webhooks signatures, keeps events, answers as scripted."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

from devstack.ports import LOOPBACK

LONGEST_BODY = 5_000_000
REFUSED = 401


@dataclass(frozen=True)
class Answer:
    """What to answer to one delivery, after `delay` seconds."""

    status: int = 204
    delay: float = 0.0
    retry_after: int | str | None = None
    location: str | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Received:
    """One request as it came in. `payload` is the JSON body, None where it is not JSON."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    verified: bool
    payload: Any
    # Seconds since the epoch, and the status that was answered.
    at: float
    answered: int

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")


class Receiver:
    """An HTTP endpoint on loopback for signed webhooks.

    A wrong, missing or stale signature is answered with 401. A correct one takes the next of the
    scripted `answers`; when they are used up, `answer` is given.
    """

    def __init__(
        self,
        secret: str | bytes | Iterable[str | bytes],
        *,
        port: int = 0,
        host: str = LOOPBACK,
        answer: Answer | None = None,
        answers: Iterable[Answer | int] = (),
        keep: int = 10_000,
    ) -> None:
        """`secret` is one secret (`whsec_…`) or several, of which any may have signed."""
        self.answer = answer or Answer()
        self._verifiers = [Webhook(one) for one in _several(secret)]
        self._script: deque[Answer] = deque()
        self._received: deque[Received] = deque(maxlen=keep)
        self._news = threading.Condition()
        self._closing = threading.Event()
        self.script(*answers)
        receiver = self

        class Handler(_Handler):
            owner = receiver

        self._server = _Server((host, port), Handler)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self._server.server_address[0]!s}:{self.port}/webhooks"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="devstack-receiver",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def script(self, *answers: Answer | int) -> None:
        """Queue answers for the next verified deliveries; a number is a bare status."""
        with self._news:
            self._script.extend(one if isinstance(one, Answer) else Answer(one) for one in answers)

    def received(self) -> list[Received]:
        """All that came in so far, the oldest first."""
        with self._news:
            return list(self._received)

    def clear(self) -> None:
        """Forget what came in and what was still scripted."""
        with self._news:
            self._received.clear()
            self._script.clear()

    def wait_for(self, predicate: Callable[[Received], bool], timeout: float = 10.0) -> Received:
        """The first request that satisfies the predicate, past or to come.

        Raises:
            TimeoutError: none came in time; the text lists what did come.
        """
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for one in self._received:
                    if predicate(one):
                        return one
                left = deadline - time.monotonic()
                if left <= 0:
                    seen = [f"{one.id or one.path}:{one.answered}" for one in self._received]
                    raise TimeoutError(f"no such delivery within {timeout:g} s; came: {seen}")
                self._news.wait(left)

    def take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Record one request and choose its answer."""
        verified = self._verify(headers, body)
        with self._news:
            if not verified:
                answer = Answer(REFUSED)
            else:
                answer = self._script.popleft() if self._script else self.answer
            self._received.append(
                Received(
                    method=method,
                    path=path,
                    headers=headers,
                    body=body,
                    verified=verified,
                    payload=_json(body),
                    at=time.time(),
                    answered=answer.status,
                )
            )
            self._news.notify_all()
        return answer

    def pause(self, seconds: float) -> None:
        """Wait, unless the receiver is stopped meanwhile."""
        self._closing.wait(seconds)

    def _verify(self, headers: dict[str, str], body: bytes) -> bool:
        for verifier in self._verifiers:
            try:
                verifier.verify(body, headers, json_parse=False)
            except (WebhookVerificationError, ValueError):
                # ValueError: a header or body that the library cannot even decode.
                continue
            return True
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hangs up before its answer is part of what is tested."""


class _Handler(BaseHTTPRequestHandler):
    owner: Receiver
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        # Recorded too: a sender that follows a redirect arrives by this way.
        self._receive("0")

    def do_POST(self) -> None:
        self._receive(self.headers.get("content-length", ""))

    def _receive(self, length: str) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self._send(Answer(411 if not length else 413))
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        answer = self.owner.take(self.command, self.path, headers, body)
        if answer.delay:
            self.owner.pause(answer.delay)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.retry_after is not None:
            self.send_header("Retry-After", str(answer.retry_after))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.body and answer.status not in (204, 304):
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the events are kept, not printed."""


def _several(secret: str | bytes | Iterable[str | bytes]) -> list[str | bytes]:
    return [secret] if isinstance(secret, str | bytes) else list(secret)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
