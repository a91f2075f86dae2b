"""A server that speaks chat completions and answers as scripted, over real HTTP."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self

from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.client import ChatClient
from ethical_lens.text.llm.settings import LlmSettings

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def data(self) -> Json:
        """The user message, which is JSON."""
        return dict(json.loads(self.body["messages"][1]["content"]))


@dataclass(frozen=True)
class Answer:
    """A scripted answer. `hang`: nothing comes; `drip`: the body comes byte by byte, for ever."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    drip: bool = False


Step = Answer | Callable[[Asked], Answer]


def says(content: object, *, finish: str = "stop", refusal: str | None = None) -> Answer:
    """A completion whose message is `content`: a string as it is, else written as JSON."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return Answer(json.dumps({"object": "chat.completion", "choices": [choice]}).encode())


def over_http(settings: LlmSettings) -> LlmAligner:
    """The aligner that asks the server of these settings."""
    return LlmAligner("llm", ChatClient(settings), settings.cache_size)


class ScriptedLlm:
    """Serves on a port of its own while it is entered. `script` is followed step by step; when it
    is over the last step holds for good."""

    def __init__(self) -> None:
        self.script: Sequence[Step] = ()
        self.asked: list[Asked] = []
        self._lock = Lock()
        self._closing = Event()

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def answers(self, *script: Step) -> None:
        """Follow this script from here on."""
        self.script = script
        self.asked.clear()

    def _next(self, asked: Asked) -> Answer:
        with self._lock:
            step = self.script[min(len(self.asked), len(self.script) - 1)]
            self.asked.append(asked)
        return step if isinstance(step, Answer) else step(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        llm = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = llm._next(Asked(self.path, headers, body))
                if answer.hang:
                    llm._closing.wait(10)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
                while answer.drip and not llm._closing.wait(0.02):
                    self.wfile.write(b" ")
                    self.wfile.flush()

            def log_message(self, *arguments: object) -> None:
                """Nobody reads it."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *arguments: object) -> None:
        """A client that gave up is what some tests are about."""
