"""Examples, links and problems of the routes of jobs, for the OpenAPI document."""

from typing import Any, Final

from config.openapi.documented import Documented, Link

_ID: Final = "01a20599-44ad-71ce-b278-2d7184b94170"
_PICTURE: Final = "01a20599-44af-70f7-ba96-def8b0d341ce"
_BASE: Final = f"https://images.example/api/v1/jobs/{_ID}"
_URLS: Final = {
    "self": _BASE,
    "cancel": f"{_BASE}/cancel",
    "pictures": f"{_BASE}/pictures",
    "decisions": f"{_BASE}/decisions",
}
_TEXT: Final[dict[str, Any]] = {
    "labels": ["K0"],
    "factors": [],
    "score": 0.0,
    "explanation": "Nothing was found.",
    "prompt": "a doctor in an office",
    "figures": [],
}
_WAITING: Final[dict[str, Any]] = {
    "id": _PICTURE,
    "index": 0,
    "status": "pending",
    "reason": "",
    "prompt": "",
    "draws": [],
    "seed": 7,
    "round": 1,
    "progress": 0.0,
    "scores": {},
    "findings": [],
    "sha256": None,
}
_RELEASED: Final = _WAITING | {
    "status": "released",
    "reason": "no_finding",
    "prompt": "an asian female doctor in an office",
    "draws": [
        {"person": 0, "text": "doctor", "gender": "female", "group": "asian", "age": "30-39"}
    ],
    "progress": 1.0,
    "scores": {"nude": 0.01, "nsfw": 0.02, "politic": 0.0, "culture": 0.0, "public": 0.03},
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_QUEUED: Final[dict[str, Any]] = {
    "id": _ID,
    "status": "queued",
    "reason": "",
    "explanation": "",
    "model": "mini",
    "prompt": "a doctor in an office",
    "negative_prompt": "",
    "n": 1,
    "width": 96,
    "height": 96,
    "steps": 20,
    "guidance_scale": 4.0,
    "seed": 7,
    "priority": 5,
    "policy": "default v1",
    "text": None,
    "pictures": [_WAITING],
    "created_at": "2026-11-22T23:31:00.398101Z",
    "ended_at": None,
    "urls": _URLS,
}
_SUCCEEDED: Final = _QUEUED | {
    "status": "succeeded",
    "reason": "released",
    "explanation": "Every picture was judged; the released ones can be fetched.",
    "text": _TEXT,
    "pictures": [_RELEASED],
    "ended_at": "2026-11-22T23:31:02.034581Z",
}
_BLOCKED: Final = _QUEUED | {
    "status": "blocked",
    "reason": "prompt_blocked",
    "explanation": "The prompt asks for what the policy rules out (K3).",
    "prompt": "a cruel picture",
    "text": _TEXT | {"labels": ["K3"], "factors": ["P4"], "score": 0.9, "prompt": ""},
    "pictures": [_WAITING | {"status": "blocked", "reason": "prompt_blocked"}],
    "ended_at": "2026-11-22T23:31:00.734581Z",
}
_CANCELED: Final = _QUEUED | {
    "status": "canceled",
    "reason": "canceled",
    "explanation": "The job was canceled.",
    "pictures": [_WAITING | {"status": "withdrawn", "reason": "canceled"}],
    "ended_at": "2026-11-22T23:31:01.034581Z",
}
_DECISION: Final[dict[str, Any]] = {
    "id": "01a20599-4b1a-76f9-8186-46a2d464d799",
    "picture": 0,
    "stage": "scrutinise",
    "round": 1,
    "actor": "system",
    "action": "release",
    "reason": "no_finding",
    "explanation": "No concept of the policy was found.",
    "labels": [],
    "factors": [],
    "scores": {"nude": 0.01, "nsfw": 0.02},
    "thresholds": {"nude": 0.7, "nsfw": 1.01},
    "findings": [],
    "policy": "default v1",
    "model_digests": {"encoder": "sha256:5feceb66ffc86f38d952786c6d696c79"},
    "created_at": "2026-11-22T23:31:01.834581Z",
}

_SAME: Final = {"job_id": "$response.body#/id"}
_ON: Final = {
    "get": Link("GET /jobs/{job_id}", _SAME, "the job as it is then"),
    "cancel": Link("POST /jobs/{job_id}/cancel", _SAME),
    "pictures": Link("GET /jobs/{job_id}/pictures", _SAME),
    "decisions": Link("GET /jobs/{job_id}/decisions", _SAME),
}
_FIRST: Final = Link(
    "GET /jobs/{job_id}", {"job_id": "$response.body#/results/0/id"}, "the newest of the page"
)

DOCUMENTED: Final = {
    "POST /jobs": Documented(
        request={
            "plain": {"prompt": "a doctor in an office"},
            "full": {
                "prompt": "a doctor in an office",
                "negative_prompt": "text",
                "n": 4,
                "width": 96,
                "height": 96,
                "steps": 20,
                "guidance_scale": 4.0,
                "seed": 7,
                "priority": 9,
            },
        },
        response={"queued": _QUEUED},
        problems=("too_many_jobs_in_flight", "too_many_pictures_today", "queue_full"),
        links=_ON,
        headers=("Location",),
    ),
    "GET /jobs": Documented(
        response={"page": {"results": [_SUCCEEDED], "next": None, "previous": None}},
        links={"get": _FIRST},
    ),
    "GET /jobs/{job_id}": Documented(
        response={"queued": _QUEUED, "succeeded": _SUCCEEDED, "blocked": _BLOCKED},
        links={name: link for name, link in _ON.items() if name != "get"},
    ),
    "POST /jobs/{job_id}/cancel": Documented(
        response={"canceled": _CANCELED}, links={"get": _ON["get"]}
    ),
    "GET /jobs/{job_id}/pictures": Documented(
        response={
            "released": [
                _RELEASED
                | {
                    "url": f"https://objects.example/released/{_ID}/{_PICTURE}.png?X-Amz-Expires=900",
                    "url_expires_at": "2026-11-22T23:46:02.034581Z",
                }
            ],
            "waiting": [_WAITING | {"url": None, "url_expires_at": None}],
        }
    ),
    "GET /jobs/{job_id}/decisions": Documented(response={"released": [_DECISION]}),
}
