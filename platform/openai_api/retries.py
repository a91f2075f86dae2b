"""A client's own repetitions make no second job.

OpenAI's clients send a request again by themselves after a time-out, a lost connection, 408, 409,
429 and 5xx, and name it by no key. They count, though: `x-stainless-retry-count` is 0 the first
time. So a request with 0 is a new one, whatever was sent before, and its jobs are kept under the
API key and a fingerprint of the request; one with more gets the jobs of the last such request, if
that is no older than a client may wait and try.

Two equal requests at once are two. Where both are lost and sent again, both get the jobs of the
later one: they asked for the same. Whoever wants them apart sends an `Idempotency-Key`, which
holds for the whole tenant and a day, as everywhere.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import HttpRequest

from accounts.authentication import request_key
from accounts.idempotency import Answer, answer_anew
from config.repetition import kept_once, request_fingerprint

RETRIED_WITHIN: Final = timedelta(minutes=30)
"""Longer than a client with the usual settings waits and tries: three times ten minutes."""


def jobs_once(
    request: HttpRequest, idempotency_key: str | None, make: Callable[[], Sequence[UUID]]
) -> list[UUID]:
    """The jobs that `make` submits, or those that this very request has submitted before.

    Raises `Problem` as `kept_once`, and whatever `make` raises: then nothing is kept.
    """

    def answer() -> Answer:
        made = [str(job_id) for job_id in make()]
        return Answer(status=202, headers={}, body=json.dumps(made))

    fingerprint = request_fingerprint(request)
    count = request.headers.get("x-stainless-retry-count", "")
    derived = f"retry {request_key(request).id} {fingerprint}"
    if idempotency_key is not None:
        kept = kept_once(request, idempotency_key.strip('"'), answer)
    elif not count.isdecimal():
        kept = answer()
    elif int(count[:9]) == 0:
        kept = answer_anew(
            tenant_id=request_key(request).tenant_id,
            key=derived,
            fingerprint=fingerprint,
            make=answer,
        )
    else:
        kept = kept_once(request, derived, answer, within=RETRIED_WITHIN)
    return [UUID(job_id) for job_id in json.loads(kept.body)]
