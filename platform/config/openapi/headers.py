"""Headers of answers, as the document's components."""

from typing import Any, Final

_SECONDS: Final = {"type": "string", "pattern": r"^\d+$"}


def _header(description: str, schema: dict[str, Any], example: str) -> dict[str, Any]:
    return {"description": description, "schema": schema, "example": example}


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": _header(
        "of this request, also in our logs; taken over from the request where it is well formed",
        {"type": "string", "pattern": r"^[A-Za-z0-9._-]{8,64}$"},
        "01a20599-44ad-71ce-b278-2d7184b94170",
    )
    | {"required": True},
    "RateLimit-Policy": _header(
        "requests per minute of the key and of its tenant; missing where nothing was counted",
        {"type": "string"},
        '"key";q=60;w=60, "tenant";q=6000;w=60',
    ),
    "RateLimit": _header(
        "`r` requests are left for the next `t` seconds; missing where nothing was counted",
        {"type": "string"},
        '"key";r=12;t=41, "tenant";r=5317;t=41',
    ),
    "Retry-After": _header("seconds to wait", _SECONDS, "30"),
    "WWW-Authenticate": _header(
        "how to say who you are", {"type": "string"}, 'Bearer realm="ethical-lens"'
    )
    | {"required": True},
    "Allow": _header("the methods of this address", {"type": "string"}, "GET, POST")
    | {"required": True},
    "Location": _header(
        "where the new object is", {"type": "string", "format": "uri"},
        "https://images.example/api/v1/jobs/01a20599-44ad-71ce-b278-2d7184b94170",
    ),
    "Idempotency-Replayed": _header(
        "this is the first answer to this key, given again", {"type": "string", "enum": ["true"]},
        "true",
    ),
    "Preference-Applied": _header(
        "how long was waited at most, where `Prefer` was understood",
        {"type": "string", "pattern": r"^wait=\d+$"}, "wait=30",
    ),
    "Cache-Control": _header("no-store: nobody may keep it", {"type": "string"}, "no-store"),
}  # fmt: skip


def header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}
