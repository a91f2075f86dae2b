"""What a client sends again by itself: which jobs it gets, where it was refused, and uploads."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from accounts.models import Scope, Tenant
from accounts.services import api_key_authenticate, api_key_create
from config.problems import Problem
from factories import make_job, release_and_end
from jobs import uploads
from jobs.models import Job, SentPicture
from jobs.uploads import Upload
from openai_api.retries import jobs_once, refusals_remembered

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def secret(tenant: Tenant) -> str:
    return api_key_create(tenant=tenant, name="client", scopes=[Scope.JOBS_WRITE])[1]


def sent(secret: str, count: int) -> HttpRequest:
    """The same request, for the `count`-th time after the first."""
    request: Any = RequestFactory().post(
        "/v1/images/generations", json.dumps({"prompt": "a doctor"}), "application/json",
        headers={"x-stainless-retry-count": str(count)},
    )  # fmt: skip
    request.auth = api_key_authenticate(secret)
    return request  # type: ignore[no-any-return]


def jobs_of(request: HttpRequest, pictures: Sequence[bytes] = ()) -> list[UUID]:
    def make(stored: Sequence[Upload]) -> list[UUID]:
        return [make_job(request.auth.tenant).id]  # type: ignore[attr-defined]

    return jobs_once(request, None, [[(SentPicture.Role.PICTURE, one) for one in pictures]], make)


def refuse(request: HttpRequest) -> None:
    with pytest.raises(Problem), refusals_remembered(request):
        raise Problem(429, "too_many_requests", "Too many requests this minute")


def test_a_refusal_forgets_nothing_of_an_equal_request_that_is_still_waited_for(
    secret: str,
) -> None:
    waited_for = jobs_of(sent(secret, 0))
    refuse(sent(secret, 0))
    assert jobs_of(sent(secret, 1)) == waited_for
    assert Job.objects.count() == 1


def test_one_that_was_refused_after_an_equal_one_had_ended_is_made_anew(secret: str) -> None:
    (ended,) = jobs_of(sent(secret, 0))
    release_and_end(Job.objects.get(pk=ended))
    for _ in range(2):
        refuse(sent(secret, 0))
    again = jobs_of(sent(secret, 1))
    assert again != [ended]
    assert jobs_of(sent(secret, 2)) == again


def test_what_was_overtaken_and_then_refused_keeps_the_job_of_its_repetition(secret: str) -> None:
    made = jobs_of(sent(secret, 1))
    release_and_end(Job.objects.get(pk=made[0]))
    refuse(sent(secret, 0))
    assert jobs_of(sent(secret, 2)) == made
    assert jobs_of(sent(secret, 0)) != made, "the same anew is another one"


def test_what_comes_again_is_not_stored_again(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, stored = uploads.sent_put, list[bytes]()

    def put(**given: Any) -> Any:
        stored.append(given["content"])
        return real(**given)

    monkeypatch.setattr(uploads, "sent_put", put)
    first, again = (jobs_of(sent(secret, count), [b"a picture"]) for count in (0, 1))
    assert first == again
    assert stored == [b"a picture"]
