"""Django's middleware under ASGI: pages keep all, the API what concerns it, without threads."""

from typing import Any

import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from accounts.models import User

pytestmark = pytest.mark.services


async def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("seen")


def through_all(path: str) -> tuple[HttpResponse, HttpRequest]:
    """What all middleware makes of a request that an asynchronous view answers."""
    handler: Any = view
    for name in reversed(settings.MIDDLEWARE):
        handler = import_string(name)(handler)
    request = AsyncRequestFactory().get(path)
    return async_to_sync(handler)(request), request


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/v1/models"])
def test_the_api_takes_no_thread_of_middleware(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a thread was taken")

    monkeypatch.setattr(SyncToAsync, "__call__", refuse)
    response, request = through_all(path)
    assert response.content == b"seen"
    assert not hasattr(request, "session")
    assert not hasattr(request, "user")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Content-Length"] == "4"


def test_pages_keep_sessions_and_people() -> None:
    response, request = through_all("/admin/")
    assert response.content == b"seen"
    for name in ("session", "user", "_messages"):
        assert hasattr(request, name)
    assert hasattr(request.user, "_setup"), "with its second factor, looked up when asked for"


def test_https_redirects_the_api_too(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response, _ = through_all("/api/v1/jobs")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/api/v1/jobs")


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.django_db
def test_forms_are_guarded_whatever_serves_them(client: type[Client]) -> None:
    asked = client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a"})
    response: Any = async_to_sync(_awaited)(asked) if client is AsyncClient else asked
    assert response.status_code == 403


async def _awaited(coming: Any) -> Any:
    return await coming


@pytest.mark.django_db
def test_a_session_opens_nothing_of_the_api(django_user_model: type[User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    with CaptureQueriesContext(connection) as seen:
        response = client.post("/api/v1/jobs", {}, content_type="application/json")
    assert response.status_code == 401
    assert response.json()["code"] == "key_missing"
    assert not seen.captured_queries, "no session is looked at"
