"""Problem details (RFC 9457): a stable `code`, the request id, JSON pointers to bad fields."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from config.openapi.problems import MEDIA_TYPE
from config.requests import request_id
from jobs.storage import StorageUnavailable

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
BATCH_LIMIT = 512 * 1024


class Problem(Exception):
    """An error to answer with. `errors` are `(JSON pointer, what is wrong)` pairs."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str = "",
        errors: Sequence[tuple[str, str]] = (),
        *,
        headers: Mapping[str, str] = {},
    ) -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.errors, self.headers = errors, headers


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer for a problem."""
    return HttpResponse(
        json.dumps(problem_body(request, problem)),
        status=problem.status,
        content_type=MEDIA_TYPE,
        headers=problem_headers(problem),
    )


def problem_headers(problem: Problem) -> dict[str, str]:
    """What the answer has in any shape."""
    unknown = problem.status == HTTPStatus.UNAUTHORIZED
    return ({"WWW-Authenticate": 'Bearer realm="ethical-lens"'} if unknown else {}) | dict(
        problem.headers
    )


def problem_body(request: HttpRequest, problem: Problem) -> dict[str, Any]:
    """What the answer says, as JSON has it."""
    body: dict[str, Any] = {
        "type": f"urn:ethical-lens:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "instance": request.path,
        "request_id": request_id.get(),
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [{"pointer": at, "detail": what} for at, what in problem.errors]
    return body


class BoundedParser(Parser):
    """JSON bodies of at most 64 KiB, batches of at most 512, however they are sent; more where
    `bodies.RoomForPictures` let the request in."""

    def parse_body(self, request: HttpRequest) -> Any:
        limit = BATCH_LIMIT if request.path.endswith("/batch") else BODY_LIMIT
        if len(request.body) > getattr(request, "body_limit", limit):
            raise RequestDataTooBig
        return json.loads(request.body)


Respond = Callable[[HttpRequest, Problem], HttpResponse]
_RESPONDS: dict[str, Respond] = {}
"""How problems are answered, by the beginning of the path."""


def install_problem_handlers(
    api: NinjaAPI, *, prefix: str, respond: Respond = problem_response
) -> None:
    """Answer every error of `api`, and of all addresses below `prefix`, as a problem, in the shape
    of `respond`."""
    _RESPONDS[prefix] = respond

    def handler(error: type[Exception], make: Any) -> None:
        api.add_exception_handler(error, lambda request, exc: respond(request, make(exc)))

    handler(Problem, lambda problem: problem)
    handler(ValidationError, lambda error: invalid_problem(error.errors))
    handler(RequestDataTooBig, lambda _: _too_large())
    handler(
        Http404, lambda _: Problem(404, "not_found", "There is no such object", "Check the id.")
    )
    handler(
        AuthenticationError,
        lambda _: Problem(
            401,
            "key_missing",
            "An API key is needed",
            "Send it as `Authorization: Bearer <key>`.",
        ),
    )
    handler(HttpError, _http)
    handler(OperationalError, _unavailable)
    handler(StorageUnavailable, _unavailable)


def _respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer for a problem outside of all routes, as its neighbours would give it."""
    there = [some for prefix, some in _RESPONDS.items() if request.path.startswith(prefix)]
    return (there or [problem_response])[0](request, problem)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 404 for addresses that no route has."""
    return _respond(
        request,
        Problem(404, "no_such_route", "There is nothing at this address", "See /api/v1/docs."),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 400, before any route: a host that is not ours, a header that is none."""
    return _respond(
        request,
        Problem(
            400, "bad_request", "The request cannot be read",
            "It is not valid HTTP as we know it.",
        ),
    )  # fmt: skip


@sync_and_async_middleware
def method_problems(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The API's 405 as a problem; Ninja's is plain text."""

    def changed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code != 405 or not request.path.startswith(tuple(_RESPONDS)):
            return response
        return _respond(
            request,
            Problem(
                405, "method_not_allowed", "This address has no such method",
                "See the header `Allow`.", headers={"Allow": response["Allow"]},
            ),
        )  # fmt: skip

    async def later(request: HttpRequest) -> HttpResponse:
        return changed(request, await get_response(request))

    def now(request: HttpRequest) -> HttpResponse:
        return changed(request, get_response(request))

    return later if iscoroutinefunction(get_response) else now


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500."""
    return _respond(
        request,
        Problem(
            500, "internal_error", "Something went wrong here",
            "It was logged under the request id; the request can be repeated.",
        ),
    )  # fmt: skip


def invalid_problem(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem for what a schema refused; `errors` are pydantic's."""
    return Problem(
        422,
        "invalid_request",
        "The request is not valid",
        "Every field that is wrong is listed under `errors`.",
        [(_pointer(error["loc"]), error["msg"]) for error in errors],
    )


def _pointer(location: Sequence[str | int]) -> str:
    """`("body", "job", "prompt")` to `/prompt`; query and path fields keep where they stood."""
    parts = list(location)
    parts = parts[2:] if parts and parts[0] == "body" else parts
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _too_large() -> Problem:
    return Problem(
        413,
        "body_too_large",
        "The body is too large",
        f"At most {BODY_LIMIT} bytes, {BATCH_LIMIT} for a batch; more only where pictures are in "
        "it.",
    )


def _unavailable(error: Exception) -> Problem:
    """For a database that is away or has no connection free, and a store that is away."""
    logger.error("a request could not be served: %s", error, exc_info=error)
    return Problem(
        503,
        "unavailable",
        "Something this needs cannot be reached",
        "The database or the store of pictures is away or overloaded. Repeat the request after "
        "`Retry-After`, with the same `Idempotency-Key`.",
        headers={"Retry-After": "5"},
    )


def _http(error: HttpError) -> Problem:
    if isinstance(error.__context__, RequestDataTooBig):  # which the parser said
        return _too_large()
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return Problem(400, "unreadable_body", "The body is not JSON", str(error))
    return Problem(error.status_code, "http_error", str(error))
