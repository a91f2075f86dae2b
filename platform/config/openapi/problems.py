"""Every problem that the API answers with: for the document, and compared with the code by a test.

`tests/django/api/test_openapi.py` reads all `Problem(…)` of the source against this table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MEDIA_TYPE: Final = "application/problem+json"
_REQUEST_ID: Final = "01a20599-44ad-71ce-b278-2d7184b94170"


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem as it looks: `detail` and `errors` as in one example of it."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    retry_after: bool = field(default=False)

    def example(self, instance: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:ethical-lens:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "instance": instance,
            "request_id": _REQUEST_ID,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [{"pointer": at, "detail": what} for at, what in self.errors]
        return body


_ALL: Final = (
    Kind(400, "unreadable_body", "The body is not JSON", "Cannot parse request body"),
    Kind(400, "bad_request", "The request cannot be read", "It is not valid HTTP as we know it."),
    Kind(401, "key_missing", "An API key is needed", "Send it as `Authorization: Bearer <key>`."),
    Kind(
        401, "invalid_key", "The API key is not valid",
        "It is unknown, expired or revoked. Send `Authorization: Bearer <key>` with a current key.",
    ),
    Kind(
        403, "insufficient_scope", "The API key may not do this",
        "This needs the scope jobs:write.",
    ),
    Kind(
        403, "address_not_allowed", "The API key may not be used from this address",
        "The request came from 198.51.100.7, which is in none of the key's networks.",
    ),
    Kind(
        403, "beyond_own_rights", "A key can give no more than it has",
        "Here the key you use has not webhooks:write itself. Use a key that can do more, or ask an "
        "operator.",
        (("/scopes", "the key you use has not webhooks:write itself"),),
    ),
    Kind(
        403, "not_allowed_by_policy", "The policy does not allow this",
        "model 'sdxl' is not allowed by the policy; allowed: mini", (("/model", "not allowed"),),
    ),
    Kind(
        403, "priority_not_allowed", "The API key may not give its jobs this priority",
        "Ask for at most 5, or say none.", (("/priority", "at most 5"),),
    ),
    Kind(404, "not_found", "There is no such object", "Check the id."),
    Kind(404, "no_such_route", "There is nothing at this address", "See /api/v1/docs."),
    Kind(404, "not_a_replay", "The job repeats no other", "See `replay_of` of the job."),
    Kind(405, "method_not_allowed", "This address has no such method", "See the header `Allow`."),
    Kind(
        409, "idempotency_key_in_flight", "A request with this Idempotency-Key is under way",
        "Wait a second and repeat this request as it is.", retry_after=True,
    ),
    Kind(
        409, "endpoint_inactive", "The endpoint is not active",
        "PATCH it with `is_active` true, then repeat this.",
    ),
    Kind(
        409, "too_many_endpoints", "There are too many endpoints",
        "A tenant has at most 20 active endpoints. Disable one first: PATCH it with `is_active` "
        "false.",
    ),
    Kind(
        409, "too_many_keys", "There are too many keys",
        "A tenant has at most 100 valid keys. Revoke one first.",
    ),
    Kind(409, "key_ended", "The key has ended", "It is expired or revoked; make a new one."),
    Kind(
        409, "nothing_to_appeal", "Nothing of this job was blocked",
        "Only decisions to block can be appealed.",
    ),
    Kind(
        409, "appealed_already", "This was appealed already",
        "Each decision can be appealed once; see the appeals of the job.",
    ),
    Kind(
        409, "cannot_be_replayed", "The job cannot be run again as it was",
        "Its model sdxl is not there any more.",
    ),
    Kind(
        409, "picture_not_released", "The picture is not released",
        "Only a picture that is out can be reported; see its `status`.",
    ),
    Kind(
        413, "body_too_large", "The body is too large",
        "At most 65536 bytes, 524288 for a batch; more only where pictures are in it.",
    ),
    Kind(
        422, "invalid_request", "The request is not valid",
        "Every field that is wrong is listed under `errors`.",
        (("/n", "Input should be less than or equal to 10"),),
    ),
    Kind(
        422, "idempotency_key_reused", "This Idempotency-Key belongs to another request",
        "Take a new key for a new request, or repeat the first one as it was.",
        (("/header/Idempotency-Key", "was sent with another method, path or body before"),),
    ),
    Kind(
        429, "too_many_requests", "Too many requests this minute",
        "Wait as long as `Retry-After` says; `RateLimit` tells what is left.", retry_after=True,
    ),
    Kind(
        429, "too_many_failed_attempts", "Too many attempts with wrong keys",
        "Your address sent many keys that do not exist. Wait as long as `Retry-After` says.",
        retry_after=True,
    ),
    Kind(
        429, "too_many_jobs_in_flight", "Too many jobs are queued or at work",
        "Wait for some to end, or cancel some, then repeat this request.", retry_after=True,
    ),
    Kind(
        429, "too_many_pictures_today", "The pictures of this day are used up",
        "Ask for fewer (`n`), or wait until midnight UTC.", (("/n", "more than is left"),),
        retry_after=True,
    ),
    Kind(
        500, "internal_error", "Something went wrong here",
        "It was logged under the request id; the request can be repeated.",
    ),
    Kind(
        503, "unavailable", "Something this needs cannot be reached",
        "The database or the store of pictures is away or overloaded. Repeat the request after "
        "`Retry-After`, with the same `Idempotency-Key`.", retry_after=True,
    ),
    Kind(
        503, "queue_full", "The queue is full",
        "This is not about your quota. Repeat the request after `Retry-After`.", retry_after=True,
    ),
)  # fmt: skip

KINDS: Final = {kind.code: kind for kind in _ALL}

_ALWAYS: Final = (
    "key_missing", "invalid_key", "insufficient_scope", "address_not_allowed",
    "too_many_requests", "too_many_failed_attempts", "bad_request", "internal_error",
    "unavailable",
)  # fmt: skip
_WITH_BODY: Final = ("unreadable_body", "body_too_large", "invalid_request")
_WITH_ID: Final = ("not_found", "no_such_route")
_WITH_IDEMPOTENCY: Final = ("idempotency_key_in_flight", "idempotency_key_reused")

SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457); `code` never changes its meaning.",
    "type": "object",
    "required": ["type", "title", "status", "code", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "instance": {"type": "string", "description": "the path that was asked for"},
        "request_id": {"type": "string", "description": "also in our logs"},
        "detail": {"type": "string", "description": "what to do"},
        "errors": {
            "type": "array",
            "description": "every field that is wrong",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer into the body, or begins with /query/, "
                        "/path/ or /header/",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def kinds_of(
    operation: dict[str, Any], own: Iterable[str], kinds: Mapping[str, Kind]
) -> list[Kind]:
    """The problems of an operation of the document, of all `kinds` by name: those of its shape,
    and its own."""
    parameters = operation["parameters"]
    places = {parameter["in"] for parameter in parameters}
    codes = [*_ALWAYS, *own]
    if "requestBody" in operation:
        codes += _WITH_BODY
    if "path" in places:
        codes += _WITH_ID
    if places & {"query", "header"}:
        codes.append("invalid_request")
    if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
        codes += _WITH_IDEMPOTENCY
    return [kind for name, kind in kinds.items() if name in codes]
