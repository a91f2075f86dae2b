"""Middleware that holds no thread while an async view waits.

A single middleware that is only synchronous makes Django keep a thread for each request that passes
it, until it is answered.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class Passing(ABC):
    """Base of middleware of both kinds: `around` says what is done before and after the view."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self._call_async(request)
        with self.around(request) as after:
            response = self.get_response(request)
            after(response)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponse:
        with self.around(request) as after:
            response: HttpResponse = await self.get_response(request)
            after(response)
        return response

    @abstractmethod
    def around(
        self, request: HttpRequest
    ) -> AbstractContextManager[Callable[[HttpResponse], None]]:
        """The context of the view; what it gives is called with the answer. It may not block."""


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, of both kinds."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return (self._call_async if iscoroutinefunction(self) else super().__call__)(request)

    async def _call_async(self, request: HttpRequest) -> Any:
        path = request.path_info
        found = self.find_file(path) if self.autorefresh else self.files.get(path)
        if found is None:
            return await self.get_response(request)
        return await sync_to_async(self.serve)(found, request)
