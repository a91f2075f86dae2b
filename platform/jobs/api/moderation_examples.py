"""Examples, links and problems of the routes of moderations, for the OpenAPI document."""

from typing import Any, Final

from config.openapi.documented import Documented, Link

_ID: Final = "01a20599-44ad-71ce-b278-2d7184b94171"
_QUEUED: Final[dict[str, Any]] = {
    "id": _ID,
    "status": "queued",
    "reason": "",
    "explanation": "",
    "flagged": None,
    "policy": "default v1",
    "text": None,
    "pictures": [],
    "created_at": "2026-11-22T23:31:00.398101Z",
    "ended_at": None,
    "urls": {
        "self": f"https://images.example/api/v1/moderations/{_ID}",
        "cancel": f"https://images.example/api/v1/moderations/{_ID}/cancel",
    },
}
_JUDGED: Final = _QUEUED | {
    "status": "succeeded",
    "reason": "judged",
    "explanation": "Everything that was sent was judged.",
    "flagged": True,
    "ended_at": "2026-11-22T23:31:00.734581Z",
}
FLAGGED_TEXT: Final = _JUDGED | {
    "text": {
        "labels": ["K3"],
        "factors": ["P3", "P4"],
        "score": 0.95,
        "explanation": "The request touches violence (P3, extreme), self-harm (P4, explicit). This "
        "is not fit for generation.",
        "factor_scores": {"P3": 0.95, "P4": 0.7},
        "prompt": "a suicide bomber",
        "edits": [],
        "negative_edits": [],
        "figures": [],
        "flagged": True,
    }
}
_PICTURE: Final = {
    "index": 0,
    "url": "https://pictures.example/party.png",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "flagged": True,
    "reason": "sent_picture_toxic",
    "explanation": "The picture that was sent shows nsfw.",
    "scores": {"nsfw": 0.83, "politic": 0.0, "culture": 0.0, "nude": 0.01, "public": 0.03},
    "thresholds": {"nsfw": 0.7, "politic": 0.9, "culture": 0.9, "nude": 0.6, "public": 0.5},
    "findings": ["nsfw"],
    "faces": [],
}
_FLAGGED_PICTURE: Final = _JUDGED | {"pictures": [_PICTURE]}
_NOT_FETCHED: Final = _QUEUED | {
    "status": "failed",
    "reason": "picture_unanswered",
    "explanation": "Picture 0: the answer has the status 404.",
    "ended_at": "2026-11-22T23:31:00.734581Z",
    "pictures": [
        _PICTURE
        | {
            "sha256": None, "flagged": None, "reason": "", "explanation": "", "scores": {},
            "findings": [],
        }
    ],
}  # fmt: skip
_CANCELED: Final = _QUEUED | {
    "status": "canceled",
    "reason": "canceled",
    "explanation": "Canceled on request.",
    "ended_at": "2026-11-22T23:31:00.734581Z",
}
PIXEL: Final = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
)
_LINKS: Final = {
    "get": Link(
        "GET /moderations/{moderation_id}",
        {"moderation_id": "$response.body#/id"},
        "as it is then",
    ),
    "cancel": Link(
        "POST /moderations/{moderation_id}/cancel", {"moderation_id": "$response.body#/id"}
    ),
}

DOCUMENTED: Final = {
    "POST /moderations": Documented(
        request={
            "a text": {"text": "a suicide bomber"},
            "a picture by its address": {
                "pictures": [{"url": "https://pictures.example/party.png"}]
            },
            "an uploaded picture beside its text": {
                "text": "a party in a garden",
                "pictures": [{"url": PIXEL}],
            },
        },
        answers={
            201: {
                "a flagged text": FLAGGED_TEXT,
                "a flagged picture": _FLAGGED_PICTURE,
                "no verdict": _NOT_FETCHED,
            },
            202: {"queued": _QUEUED},
        },
        problems=("not_allowed_by_policy", "too_many_jobs_in_flight", "queue_full"),
        links=_LINKS,
        headers=("Location", "Preference-Applied"),
    ),
    "GET /moderations": Documented(
        answers={200: {"page": {"results": [FLAGGED_TEXT], "next": None, "previous": None}}},
        links={
            "get": Link(
                "GET /moderations/{moderation_id}",
                {"moderation_id": "$response.body#/results/0/id"},
                "the newest of the page",
            )
        },
    ),
    "GET /moderations/{moderation_id}": Documented(
        answers={
            200: {
                "queued": _QUEUED,
                "a flagged text": FLAGGED_TEXT,
                "a flagged picture": _FLAGGED_PICTURE,
                "no verdict": _NOT_FETCHED,
            }
        }
    ),
    "POST /moderations/{moderation_id}/cancel": Documented(
        answers={200: {"canceled": _CANCELED, "it had ended before": FLAGGED_TEXT}}
    ),
}
