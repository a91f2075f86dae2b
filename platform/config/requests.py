"""A request id on every answer, in every log line of the request, and in every problem."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from config.identifiers import uuid7
from config.passing import Passing

request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware(Passing):
    """Takes `X-Request-Id` over where it is well formed, else makes one; echoes it."""

    @contextmanager
    def around(self, request: HttpRequest) -> Iterator[Callable[[HttpResponse], None]]:
        given = request.headers.get("X-Request-Id", "")
        token = request_id.set(given if _ACCEPTABLE.fullmatch(given) else str(uuid7()))
        try:
            yield _echo
        finally:
            request_id.reset(token)


def _echo(response: HttpResponse) -> None:
    response["X-Request-Id"] = request_id.get()


class RequestIdFilter(logging.Filter):
    """Puts the request id into log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True
