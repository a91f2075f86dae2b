"""`PYTHON serve.py FILE PORT`: chat completions over HTTP by llama.cpp, one at a time.

Run by the venv of `install`, so it imports nothing of this project. llama-cpp-python has a server
of its own, which does not know `response_format` of type `json_schema`.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from llama_cpp import Llama

MOST_TOKENS = 600


def main() -> None:
    file, port = sys.argv[1:]
    llama: Any = Llama(file, n_ctx=4096, n_threads=1, n_threads_batch=1, verbose=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"status": "ok"})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            form = asked.get("response_format")
            self._answer(
                llama.create_chat_completion(
                    asked["messages"],
                    temperature=asked["temperature"],
                    max_tokens=MOST_TOKENS,
                    response_format=form
                    and {"type": "json_object", "schema": form["json_schema"]["schema"]},
                )
            )

        def _answer(self, what: object) -> None:
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nobody reads it."""

    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
