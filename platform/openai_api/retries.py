"""A client's own repetitions make no second job.

OpenAI's clients send a request again by themselves after a time-out, a lost connection, 408, 409,
429 and 5xx, and name it by no key. They count, though: `x-stainless-retry-count` is 0 the first
time. So a request with 0 is a new one, whatever was sent before, and its jobs are kept under the
API key and a fingerprint of the request; one with more gets the jobs of the last such request, if
that is no older than a client may wait and try, and was not refused. What is overtaken by its own
repetition gets the jobs of that.

Two equal requests at once are two. Where both are lost and sent again, both get the jobs of the
later one: they asked for the same; so does one that was refused while the other is waited for.
Whoever wants them apart sends an `Idempotency-Key`, which holds for the whole tenant and a day, as
everywhere.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Final, TypedDict
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest

from accounts.authentication import APIKeyAuth, request_key
from accounts.idempotency import Answer
from accounts.models import APIKey
from accounts.repeated import (
    first_answered,
    first_refused,
    repetition_answered,
    repetition_known,
)
from config.problems import Problem
from config.repetition import (
    kept_known,
    kept_once,
    repetition_problems,
    request_fingerprint,
)
from jobs.models import Job
from jobs.states import IN_FLIGHT
from jobs.uploads import Sent, Upload, uploaded

RETRIED_WITHIN: Final = timedelta(minutes=30)
"""Longer than a client with the usual settings waits and tries: three times ten minutes."""


class _Name(TypedDict):
    tenant_id: UUID
    key: str
    fingerprint: str


def jobs_once(
    request: HttpRequest,
    idempotency_key: str | None,
    sent: Sequence[Sequence[Sent]],
    make: Callable[[Sequence[Upload]], Sequence[UUID]],
) -> list[UUID]:
    """The jobs that `make` submits, or those that this very request has submitted before.

    `sent` is what comes with each job; `make` gets it stored. Raises `Problem` as `kept_once`,
    `StorageError`, and whatever `make` raises: then nothing is kept.
    """
    with refusals_remembered(request):
        kept = _known(request, idempotency_key) if any(sent) else None
        if kept is None:
            with ExitStack() as stack:
                uploads = [stack.enter_context(uploaded(one)) for one in sent]
                kept = _once(request, idempotency_key, lambda: make(uploads))
    return [UUID(job_id) for job_id in json.loads(kept.body)]


def _known(request: HttpRequest, idempotency_key: str | None) -> Answer | None:
    """What is there already of a request that comes again, before it stores anything."""
    if idempotency_key is not None:
        return kept_known(request, idempotency_key.strip('"'))
    if not _count(request):
        return None
    with repetition_problems():
        return repetition_known(**_name(request), within=RETRIED_WITHIN)


def _once(
    request: HttpRequest, idempotency_key: str | None, make: Callable[[], Sequence[UUID]]
) -> Answer:
    def answer() -> Answer:
        made = [str(job_id) for job_id in make()]
        return Answer(status=202, headers={}, body=json.dumps(made))

    count = _count(request)
    if idempotency_key is not None:
        return kept_once(request, idempotency_key.strip('"'), answer)
    if count is None:
        return answer()
    if count == 0:
        return first_answered(**_name(request), make=answer)
    with repetition_problems():
        return repetition_answered(**_name(request), make=answer, within=RETRIED_WITHIN)


@contextmanager
def refusals_remembered(request: HttpRequest) -> Iterator[None]:
    """Around all that may refuse a new request before it has jobs: its repetition then does not
    get those of an equal one before."""
    try:
        yield
    except Exception:
        if _count(request) == 0:
            with suppress(DatabaseError):  # what is told is why it was refused
                first_refused(**_name(request), under_way=_under_way)
        raise


def _under_way(kept: str) -> bool:
    """Whether jobs that are kept as an answer have not settled: then somebody waits for them."""
    return Job.objects.filter(pk__in=json.loads(kept), status__in=IN_FLIGHT).exists()


class RetriedKeyAuth(APIKeyAuth):
    """`APIKeyAuth` of routes that make jobs: a rate that is used up is such a refusal."""

    def authenticate(self, request: HttpRequest, token: str) -> APIKey:
        try:
            return super().authenticate(request, token)
        except Problem as problem:
            known = isinstance(getattr(request, "auth", None), APIKey)
            if problem.status == HTTPStatus.TOO_MANY_REQUESTS and known:
                with refusals_remembered(request):
                    raise
            raise


def _count(request: HttpRequest) -> int | None:
    text = request.headers.get("x-stainless-retry-count", "")
    return int(text[:9]) if text.isdecimal() else None


def _name(request: HttpRequest) -> _Name:
    key, fingerprint = request_key(request), request_fingerprint(request)
    return {
        "tenant_id": key.tenant_id,
        "key": f"retry {key.id} {fingerprint}",
        "fingerprint": fingerprint,
    }
