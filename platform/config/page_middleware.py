"""Django's middleware, of which the API costs as little as it needs.

Django serves ASGI with a thread for each of their steps: a dozen for each request. What never
blocks needs none. What belongs to pages, cookies that is, is no affair of routes that take a key.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin


def of_api(request: HttpRequest) -> bool:
    """Whether the address is one of a program with a key, not of a person with a session."""
    return request.path_info.startswith(("/api/", "/v1/"))


class _NeverBlocks(MiddlewareMixin):
    """Its steps are made where the request is."""

    get_response: Callable[[HttpRequest], Any]

    async def __acall__(self, request: HttpRequest) -> Any:
        before, after = (
            getattr(self, name, None) for name in ("process_request", "process_response")
        )
        response = before(request) if before else None
        response = response or await self.get_response(request)
        return after(request, response) if after else response


class Security(_NeverBlocks, SecurityMiddleware):
    """Django's."""


class Common(_NeverBlocks, CommonMiddleware):
    """Django's."""


class Frames(_NeverBlocks, XFrameOptionsMiddleware):
    """Django's."""


class _OfPages(MiddlewareMixin):
    """Passes requests of the API on as they are."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if of_api(request) else super().__call__(request)


class Sessions(_OfPages, SessionMiddleware):
    """Django's, for pages."""


class People(_OfPages, AuthenticationMiddleware):
    """Django's, for pages."""


class Messages(_OfPages, MessageMiddleware):
    """Django's, for pages."""


class Forms(_OfPages, CsrfViewMiddleware):
    """Django's guard against forgery, for pages. No cookie lets anybody into the API."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if self.async_mode:
            setattr(self, "process_view", self._process_view_later)  # noqa: B010 - to be awaited

    async def _process_view_later(self, request: HttpRequest, *view: Any) -> Any:
        if of_api(request):
            return None
        return await sync_to_async(super().process_view)(request, *view)
