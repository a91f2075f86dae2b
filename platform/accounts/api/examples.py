"""Examples, links and problems of the routes of API keys, for the OpenAPI document."""

from typing import Any, Final

from config.openapi.documented import Documented, Link

_ID: Final = "01a20599-3b11-7c7e-8f2a-0d9f5b1c2d3e"
_BASE: Final = f"https://images.example/api/v1/api-keys/{_ID}"
_KEY: Final[dict[str, Any]] = {
    "id": _ID,
    "name": "web servers",
    "prefix": "0a1b2c3d4e5f",
    "state": "valid",
    "scopes": ["jobs:read", "jobs:write"],
    "allowed_networks": ["192.0.2.0/24", "2001:db8::/32"],
    "requests_per_minute": 600,
    "jobs_in_flight": None,
    "pictures_per_day": None,
    "priority_limit": 5,
    "made_by": "01a20598-11aa-7b3c-9d4e-5f6071829304",
    "created_at": "2026-11-22T23:30:00.398101Z",
    "last_used_at": "2026-11-22T23:31:00.398101Z",
    "expires_at": "2027-11-22T00:00:00Z",
    "revoked_at": None,
    "previous_secret_ends_at": None,
    "urls": {"self": _BASE, "rotate": f"{_BASE}/rotate", "revoke": f"{_BASE}/revoke"},
}
_SHOWN: Final = "el_0a1b2c3d4e5f_an-example-and-no-secret-of-anybody-at-all"

_SAME: Final = {"key_id": "$response.body#/id"}
_GET: Final = Link("GET /api-keys/{key_id}", _SAME)
_ON: Final = {
    "get": _GET,
    "rotate": Link("POST /api-keys/{key_id}/rotate", _SAME),
    "revoke": Link("POST /api-keys/{key_id}/revoke", _SAME),
}

DOCUMENTED: Final = {
    "POST /api-keys": Documented(
        request={
            "plain": {"name": "nightly report", "scopes": ["jobs:read"]},
            "bound": {
                "name": "web servers",
                "scopes": ["jobs:read", "jobs:write"],
                "allowed_networks": ["192.0.2.0/24", "2001:db8::/32"],
                "expires_at": "2999-11-22T00:00:00Z",
                "requests_per_minute": 600,
                "priority_limit": 5,
            },
        },
        answers={201: {"made": _KEY | {"key": _SHOWN, "last_used_at": None}}},
        problems=("beyond_own_rights", "too_many_keys"),
        links=_ON,
        headers=("Location", "Cache-Control"),
    ),
    "GET /api-keys": Documented(
        answers={200: {"page": {"results": [_KEY], "next": None, "previous": None}}},
        links={"get": Link("GET /api-keys/{key_id}", {"key_id": "$response.body#/results/0/id"})},
    ),
    "GET /api-keys/{key_id}": Documented(answers={200: {"valid": _KEY}}),
    "POST /api-keys/{key_id}/rotate": Documented(
        request={"a day beside the old one": {"overlap_seconds": 86400}},
        answers={
            200: {
                "rotated": _KEY
                | {"key": _SHOWN, "previous_secret_ends_at": "2026-11-23T23:31:00.398101Z"}
            }
        },
        problems=("beyond_own_rights", "key_ended"),
        links={"get": _GET},
        headers=("Cache-Control",),
    ),
    "POST /api-keys/{key_id}/revoke": Documented(
        answers={
            200: {
                "revoked": _KEY | {"state": "revoked", "revoked_at": "2026-11-22T23:32:00.398101Z"}
            }
        },
        links={"get": _GET},
    ),
}
