"""W3C Trace Context: one trace from a request, through the stages of its job, to the webhooks.

https://www.w3.org/TR/trace-context/ - nothing is measured or exported here: whoever traces finds
our part by the trace id, which is in every log line.
"""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest, HttpResponse

from config.passing import Passing

HEADER: Final = "traceparent"
_FORM: Final = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_parent: ContextVar[str] = ContextVar("traceparent", default="")


def traceparent_next(given: str = "") -> str:
    """The header for the next hop (version 00, 55 characters): of the trace that `given` belongs
    to, else of the one under way, else of a new one. What is malformed counts for none."""
    found = _parts(given) or _parts(_parent.get())
    trace, flags = found or (secrets.token_hex(16), "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def traced(given: str) -> Iterator[None]:
    """Work on behalf of `given`, or in a new trace where that is malformed or empty."""
    token = _parent.set("")  # not of what is under way
    try:
        _parent.set(traceparent_next(given))
        yield
    finally:
        _parent.reset(token)


def trace_enter(given: str) -> None:
    """What follows in this thread is done on behalf of `given`; empty: of nothing."""
    _parent.set(traceparent_next(given) if given else "")


class TraceMiddleware(Passing):
    """Goes on with the trace that a request belongs to, or begins one."""

    @contextmanager
    def around(self, request: HttpRequest) -> Iterator[Callable[[HttpResponse], None]]:
        with traced(request.headers.get(HEADER, "")):
            yield lambda response: None


class TraceFilter(logging.Filter):
    """Puts the trace id into log records; "-" outside of any."""

    def filter(self, record: logging.LogRecord) -> bool:
        found = _parts(_parent.get())
        record.trace_id = found[0] if found else "-"
        return True


def _parts(header: str) -> tuple[str, str] | None:
    """Trace id and flags. Of a later version what version 00 has is read."""
    found = _FORM.fullmatch(header)
    if found is None or (found[1] == "00" and found[5]):
        return None
    if not found[2].strip("0") or not found[3].strip("0"):
        return None
    return found[2], found[4]
