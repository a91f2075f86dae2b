"""Examples, links and problems of the routes of webhooks, for the OpenAPI document."""

from typing import Any, Final

from config.openapi.documented import Documented, Link

_ID: Final = "01a20599-5c22-7d8f-9a3b-1e0f6c2d3e4f"
_BASE: Final = f"https://images.example/api/v1/webhook-endpoints/{_ID}"
_ENDPOINT: Final[dict[str, Any]] = {
    "id": _ID,
    "url": "https://hooks.example.org/ethical-lens",
    "description": "ends of jobs",
    "event_types": ["job.succeeded", "job.blocked", "job.failed", "job.canceled"],
    "is_active": True,
    "disabled_reason": "",
    "failing_since": None,
    "previous_secret_ends_at": None,
    "created_at": "2026-11-22T23:30:00.398101Z",
    "urls": {
        "self": _BASE,
        "rotate": f"{_BASE}/rotate",
        "test": f"{_BASE}/test",
        "deliveries": f"{_BASE}/deliveries",
        "replay": f"{_BASE}/replay",
    },
}
_SECRET: Final = "whsec_YW4gZXhhbXBsZSBhbmQgbm8gc2VjcmV0IG9mIGFueWJvZHk="  # noqa: S105 - an example
_DELIVERY: Final[dict[str, Any]] = {
    "id": "01a20599-6d33-7e90-8b4c-2f1071829304",
    "webhook_id": "01a20599-4b1a-76f9-8186-46a2d464d799",
    "event_type": "job.succeeded",
    "job": "01a20599-44ad-71ce-b278-2d7184b94170",
    "status": "delivered",
    "attempts": 1,
    "next_attempt_at": None,
    "delivered_at": "2026-11-22T23:31:02.434581Z",
    "created_at": "2026-11-22T23:31:02.043286Z",
}
_PENDING: Final = _DELIVERY | {
    "status": "pending",
    "delivered_at": None,
    "next_attempt_at": "2026-11-22T23:31:02.043286Z",
}
_TEST: Final = _PENDING | {"event_type": "endpoint.test", "job": None, "attempts": 0}
_ATTEMPT: Final[dict[str, Any]] = {
    "number": 1,
    "started_at": "2026-11-22T23:31:02.143286Z",
    "seconds": 0.29,
    "status_code": 204,
    "error": "",
    "answer": "",
}

_SAME: Final = {"endpoint_id": "$response.body#/id"}
_HERE: Final = {"endpoint_id": "$request.path.endpoint_id"}
_THIS_DELIVERY: Final = _HERE | {"delivery_id": "$response.body#/id"}
_ROUTE: Final = "/webhook-endpoints/{endpoint_id}"
_GET: Final = Link(f"GET {_ROUTE}", _SAME)
_ON: Final = {
    "get": _GET,
    "change": Link(f"PATCH {_ROUTE}", _SAME),
    "rotate": Link(f"POST {_ROUTE}/rotate", _SAME),
    "test": Link(f"POST {_ROUTE}/test", _SAME),
    "deliveries": Link(f"GET {_ROUTE}/deliveries", _SAME),
    "replay": Link(f"POST {_ROUTE}/replay", _SAME),
}
_DELIVERY_ON: Final = {
    "get": Link(f"GET {_ROUTE}/deliveries/{{delivery_id}}", _THIS_DELIVERY),
    "replay": Link(f"POST {_ROUTE}/deliveries/{{delivery_id}}/replay", _THIS_DELIVERY),
}

DOCUMENTED: Final = {
    "POST /webhook-endpoints": Documented(
        request={
            "ends of jobs": {
                "url": "https://hooks.example.org/ethical-lens",
                "event_types": ["job.succeeded", "job.blocked", "job.failed", "job.canceled"],
            },
            "everything": {"url": "https://hooks.example.org/ethical-lens"},
        },
        answers={201: {"made": _ENDPOINT | {"secret": _SECRET}}},
        problems=("too_many_endpoints",),
        links=_ON,
        headers=("Location", "Cache-Control"),
    ),
    "GET /webhook-endpoints": Documented(
        answers={200: {"page": {"results": [_ENDPOINT], "next": None, "previous": None}}},
        links={
            "get": Link(f"GET {_ROUTE}", {"endpoint_id": "$response.body#/results/0/id"}),
        },
    ),
    f"GET {_ROUTE}": Documented(
        answers={
            200: {
                "active": _ENDPOINT,
                "disabled": _ENDPOINT
                | {"is_active": False, "disabled_reason": "the receiver answered 410 Gone"},
            }
        }
    ),
    f"PATCH {_ROUTE}": Documented(
        request={
            "make active again": {"is_active": True},
            "move": {"url": "https://hooks.example.org/v2", "description": "moved"},
        },
        answers={200: {"changed": _ENDPOINT}},
        problems=("too_many_endpoints",),
        links={"get": _GET},
    ),
    f"POST {_ROUTE}/rotate": Documented(
        request={"a day beside the old one": {"overlap_seconds": 86400}},
        answers={
            200: {
                "rotated": _ENDPOINT
                | {"secret": _SECRET, "previous_secret_ends_at": "2026-11-23T23:31:00.398101Z"}
            }
        },
        links={"get": _GET},
        headers=("Cache-Control",),
    ),
    f"POST {_ROUTE}/test": Documented(
        answers={202: {"on its way": _TEST}}, problems=("endpoint_inactive",), links=_DELIVERY_ON
    ),
    f"GET {_ROUTE}/deliveries": Documented(
        answers={200: {"page": {"results": [_DELIVERY, _TEST], "next": None, "previous": None}}},
        links={
            "get": Link(
                f"GET {_ROUTE}/deliveries/{{delivery_id}}",
                _HERE | {"delivery_id": "$response.body#/results/0/id"},
            )
        },
    ),
    f"GET {_ROUTE}/deliveries/{{delivery_id}}": Documented(
        answers={200: {"delivered": _DELIVERY | {"log": [_ATTEMPT]}}},
        links={"replay": _DELIVERY_ON["replay"]},
    ),
    f"POST {_ROUTE}/deliveries/{{delivery_id}}/replay": Documented(
        answers={202: {"on its way": _PENDING}},
        problems=("endpoint_inactive",),
        links={"get": _DELIVERY_ON["get"]},
    ),
    f"POST {_ROUTE}/replay": Documented(
        request={
            "what failed": {"only_failed": True},
            "a day": {"since": "2026-11-22T00:00:00Z", "until": "2026-11-23T00:00:00Z"},
        },
        answers={202: {"on their way": {"replayed": 12}}},
        problems=("endpoint_inactive",),
    ),
}
