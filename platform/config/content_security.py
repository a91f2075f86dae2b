"""The Content-Security-Policy of pages: what a page may load and run.

CONTENT_SECURITY_POLICY in the settings says it; a view changes its own with `csp.decorators`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse

from config.passing import Passing


class ContentSecurityPolicy(Passing):
    """django-csp's, on HTML alone, without a thread of its own. An answer that brought its own
    policy keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._csp = CSPMiddleware(get_response)

    @contextmanager
    def around(self, request: HttpRequest) -> Iterator[Callable[[HttpResponse], None]]:
        self._csp.process_request(request)

        def guard(response: HttpResponse) -> None:
            if response.get("Content-Type", "").startswith("text/html"):
                self._csp.process_response(request, response)

        yield guard
