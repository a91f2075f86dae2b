"""Routes that take an `Idempotency-Key`: from the header to the answer."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final, TypedDict
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Header, Schema
from ninja.responses import NinjaJSONEncoder

from accounts import idempotency
from accounts.authentication import request_key
from accounts.errors import KeyInFlight, KeyReused
from accounts.idempotency import Answer, answer_once
from config.problems import Problem

REPLAYED: Final = "Idempotency-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r'^(?:"[\x21\x23-\x7e]{1,255}"|[\x21\x23-\x7e]{1,255})$',
        description="a name of your own for this request, best a random UUID; repeating the "
        "request under it does nothing again and gets the first answer",
    ),
]


def answered_once(
    request: HttpRequest, key: str | None, make: Callable[[], tuple[int, dict[str, str], Schema]]
) -> HttpResponse:
    """Answer with the status, headers and body of `make`; with a key, once.

    `make` runs in the transaction that keeps its answer. A repetition gets that very answer with
    `Idempotency-Replayed: true`. Errors are not kept: nothing was done, so it can be tried again.
    """

    def answer() -> Answer:
        status, headers, body = make()
        return Answer(status=status, headers=headers, body=_json(body))

    return _response(answer() if key is None else kept_once(request, key.strip('"'), answer))


def answer_known(request: HttpRequest, key: str | None) -> HttpResponse | None:
    """What a request with the key was answered before, None where nothing was: to be asked before
    anything costly is done outside of `answered_once`. Raises `Problem` as that."""
    kept = kept_known(request, key.strip('"')) if key is not None else None
    return None if kept is None else _response(kept)


def body_response(status: int, body: Schema) -> HttpResponse:
    """An answer outside of what is kept."""
    return _response(Answer(status=status, headers={}, body=_json(body)))


def kept_once(request: HttpRequest, key: str, make: Callable[[], Answer]) -> Answer:
    """As `answer_once`, for the tenant and the content of the request.

    Raises `Problem` where a request with the key is under way, or the key is another's.
    """
    with repetition_problems():
        return answer_once(**_named(request, key), make=make)


def kept_known(request: HttpRequest, key: str) -> Answer | None:
    """As `answer_known` of `accounts.idempotency`, for the tenant and the content of the request.
    Raises `Problem` as `kept_once`."""
    with repetition_problems():
        return idempotency.answer_known(**_named(request, key))


@contextmanager
def repetition_problems() -> Iterator[None]:
    """Tell what is wrong with a repetition as a `Problem`."""
    try:
        yield
    except KeyInFlight as error:
        raise Problem(
            409, "idempotency_key_in_flight", "A request with this Idempotency-Key is under way",
            "Wait a second and repeat this request as it is.",
            headers={"Retry-After": "1"},
        ) from error  # fmt: skip
    except KeyReused as error:
        raise Problem(
            422, "idempotency_key_reused", "This Idempotency-Key belongs to another request",
            "Take a new key for a new request, or repeat the first one as it was.",
            [("/header/Idempotency-Key", "was sent with another method, path or body before")],
        ) from error  # fmt: skip


class _Named(TypedDict):
    tenant_id: UUID
    key: str
    fingerprint: str


def _named(request: HttpRequest, key: str) -> _Named:
    return {
        "tenant_id": request_key(request).tenant_id,
        "key": key,
        "fingerprint": request_fingerprint(request),
    }


def request_fingerprint(request: HttpRequest) -> str:
    """Of method, path, body and `Cancel-After`; of JSON, spaces and the order of fields do not
    count, and of a form not what stands between its parts."""
    if request.content_type == "multipart/form-data":
        return _form_fingerprint(request)
    try:
        body = json.dumps(json.loads(request.body or b"null"), sort_keys=True)
    except ValueError:  # where no body is asked for, any is taken
        body = hashlib.sha256(request.body).hexdigest()
    ends = request.headers.get("Cancel-After", "")
    return hashlib.sha256(f"{request.method} {request.path}\n{ends}\n{body}".encode()).hexdigest()


def _form_fingerprint(request: HttpRequest) -> str:
    files = []
    for name, some in sorted(request.FILES.lists()):
        for file in some:
            file.seek(0)
            files.append((name, hashlib.sha256(file.read()).hexdigest()))
    ends = request.headers.get("Cancel-After", "")
    form = json.dumps([request.method, request.path, ends, sorted(request.POST.lists()), files])
    return hashlib.sha256(form.encode()).hexdigest()


def _json(body: Schema) -> str:
    return json.dumps(body.model_dump(), cls=NinjaJSONEncoder)


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(
        answer.body,
        status=answer.status,
        headers=answer.headers,
        content_type="application/json; charset=utf-8",
    )
    if answer.replayed:
        response[REPLAYED] = "true"
    return response
