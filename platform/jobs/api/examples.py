"""Examples, links and problems of the routes of jobs, for the OpenAPI document."""

import json
from typing import Any, Final

from config.openapi.documented import Documented, Link
from jobs.api.example_bodies import (
    APPEAL,
    AT_WORK,
    BLOCKED,
    CANCELED,
    DECISIONS,
    DECISIONS_TO_BLOCK,
    DIFFERENT,
    END,
    HELD,
    IDENTICAL,
    LINKED,
    PICTURE_BLOCKED,
    QUEUED,
    REFUSED_APPEAL,
    REPLAYED,
    REPORT,
    REPORT_ANSWERED,
    REWORDED,
    SUCCEEDED,
    UNLINKED,
    WHOLE,
    WHOLE_HELD,
)

_SAME: Final = {"job_id": "$response.body#/id"}
_HERE: Final = {"job_id": "$request.path.job_id"}
_PICTURE_HERE: Final = _HERE | {"index": "$request.path.index"}
_ON: Final = {
    "get": Link("GET /jobs/{job_id}", _SAME, "the job as it is then"),
    "cancel": Link("POST /jobs/{job_id}/cancel", _SAME),
    "events": Link("GET /jobs/{job_id}/events", _SAME, "what happens to it, as it happens"),
    "pictures": Link("GET /jobs/{job_id}/pictures", _SAME),
    "decisions": Link("GET /jobs/{job_id}/decisions", _SAME),
    "appeal": Link("POST /jobs/{job_id}/appeal", _SAME, "where something was blocked"),
    "appeals": Link("GET /jobs/{job_id}/appeals", _SAME),
    "replay": Link("POST /jobs/{job_id}/replay", _SAME, "once it has ended"),
}
_FIRST: Final = {"job_id": "$response.body#/results/0/id"}
_REFUSALS: Final = (
    "not_allowed_by_policy", "priority_not_allowed", "too_many_jobs_in_flight",
    "too_many_pictures_today", "queue_full",
)  # fmt: skip

_PLAIN: Final = {"prompt": "a doctor in an office"}
_WRONG: Final[dict[str, Any]] = {
    "type": "urn:ethical-lens:problem:invalid_request",
    "title": "The request is not valid",
    "status": 422,
    "code": "invalid_request",
    "instance": "/api/v1/jobs/batch",
    "request_id": "01a20599-44ad-71ce-b278-2d7184b94170",
    "detail": "Every field that is wrong is listed under `errors`.",
    "errors": [{"pointer": "/n", "detail": "Input should be less than or equal to 10"}],
}


def _event(type: str, data: dict[str, Any], number: int | None = None) -> dict[str, str]:
    numbered = {} if number is None else {"id": str(number)}
    return numbered | {"event": type, "data": json.dumps(data)}


_EVENTS: Final = {
    "status": _event("status", {"status": "queued", "reason": "", "at": QUEUED["created_at"]}, 0),
    "queue": _event("queue", {"position": 3, "starts_in_seconds": 4.5}),
    "decision": _event("decision", DECISIONS[0], 1),
    "progress": _event("progress", {"pictures": [LINKED["id"]], "step": 7, "steps": 20}),
    "end": _event("end", END, 3),
}

DOCUMENTED: Final = {
    "POST /jobs": Documented(
        request={
            "plain": _PLAIN,
            "full": {
                "prompt": "a doctor in an office",
                "negative_prompt": "text",
                "model": "",
                "lora": "",
                "n": 4,
                "width": 96,
                "height": 96,
                "steps": 20,
                "guidance_scale": 4.0,
                "seed": 7,
                "priority": 9,
            },
        },
        answers={
            201: {"it has ended within `Prefer: wait=…`": WHOLE},
            202: {"queued": QUEUED, "held for a person": WHOLE_HELD},
        },
        problems=_REFUSALS,
        links=_ON,
        headers=("Location", "Preference-Applied"),
    ),
    "POST /jobs/batch": Documented(
        request={
            "two": {"jobs": [_PLAIN, {"prompt": "a nurse", "n": 2, "priority": 9}]},
        },
        answers={
            200: {
                "one accepted, one refused": {
                    "accepted": 1,
                    "results": [
                        {"index": 0, "status": 202, "job": QUEUED, "problem": None},
                        {"index": 1, "status": 422, "job": None, "problem": _WRONG},
                    ],
                }
            }
        },
        links={
            "get": Link(
                "GET /jobs/{job_id}",
                {"job_id": "$response.body#/results/0/job/id"},
                "the first, where it was accepted",
            )
        },
    ),
    "GET /jobs/statistics": Documented(
        answers={
            200: {
                "a month": {
                    "since": "2026-10-23T00:00:00Z",
                    "until": "2026-11-22T00:00:00Z",
                    "jobs": {"succeeded": 120, "blocked": 4, "canceled": 1},
                    "reasons": {
                        "released": 120,
                        "prompt_blocked": 3,
                        "pictures_blocked": 1,
                        "canceled": 1,
                    },
                    "pictures": {"released": 470, "blocked": 9, "withdrawn": 1},
                    "labels": {"K0": 108, "K1": 9, "K2": 4, "K3": 3, "A1": 2},
                    "factors": {"P3": 11, "P6": 5},
                    "heads": {"nsfw": 9, "public": 2},
                    "drawn": {
                        "gender": {"male": 201, "female": 203},
                        "race": {"Asian": 80, "Black": 81, "White": 81},
                        "age": {"young adulthood": 134, "middle age": 135, "old age": 135},
                    },
                }
            }
        },
    ),
    "GET /jobs": Documented(
        answers={200: {"page": {"results": [SUCCEEDED], "next": None, "previous": None}}},
        links={"get": Link("GET /jobs/{job_id}", _FIRST, "the newest of the page")},
    ),
    "GET /jobs/{job_id}": Documented(
        answers={
            200: {
                "queued": QUEUED,
                "succeeded": SUCCEEDED,
                "reworded": REWORDED,
                "prompt blocked": BLOCKED,
                "picture blocked": PICTURE_BLOCKED,
                "held for a person": HELD,
            }
        },
        links={name: link for name, link in _ON.items() if name != "get"},
    ),
    "POST /jobs/{job_id}/cancel": Documented(
        answers={200: {"canceled": CANCELED}}, links={"get": _ON["get"]}
    ),
    "GET /jobs/{job_id}/events": Documented(
        answers={200: _EVENTS, 204: {}},
        links={
            "get": Link("GET /jobs/{job_id}", _HERE, "once it has ended"),
            "pictures": Link("GET /jobs/{job_id}/pictures", _HERE, "once it has ended"),
        },
        headers=("Cache-Control",),
    ),
    "GET /jobs/{job_id}/pictures": Documented(
        answers={200: {"released": [LINKED], "waiting": [UNLINKED]}}
    ),
    "GET /jobs/{job_id}/decisions": Documented(
        answers={200: {"released": DECISIONS, "blocked": DECISIONS_TO_BLOCK}}
    ),
    "POST /jobs/{job_id}/appeal": Documented(
        request={"of a picture": {"statement": APPEAL["statement"]}},
        answers={201: {"opened": [APPEAL]}},
        problems=("nothing_to_appeal", "appealed_already"),
        links={"appeals": Link("GET /jobs/{job_id}/appeals", _HERE, "the answer, later")},
    ),
    "GET /jobs/{job_id}/appeals": Documented(
        answers={200: {"open": [APPEAL], "refused": [REFUSED_APPEAL], "none": []}},
        links={"decisions": Link("GET /jobs/{job_id}/decisions", _HERE)},
    ),
    "POST /jobs/{job_id}/replay": Documented(
        answers={202: {"queued": REPLAYED}},
        problems=("cannot_be_replayed", *_REFUSALS),
        links={"compare": Link("GET /jobs/{job_id}/replay", _SAME, "once it has ended")},
        headers=("Location",),
    ),
    "GET /jobs/{job_id}/replay": Documented(
        answers={200: {"identical": IDENTICAL, "different": DIFFERENT, "at work": AT_WORK}},
        problems=("not_a_replay",),
        links={"decisions": Link("GET /jobs/{job_id}/decisions", _HERE)},
    ),
    "POST /jobs/{job_id}/pictures/{index}/reports": Documented(
        request={
            "with a reference": {
                "reason": REPORT["reason"],
                "text": REPORT["text"],
                "reporter": REPORT["reporter"],
            },
            "plain": {"reason": "violence"},
        },
        answers={201: {"opened": REPORT}, 200: {"open already": REPORT}},
        problems=("picture_not_released",),
        links={"reports": Link("GET /jobs/{job_id}/pictures/{index}/reports", _PICTURE_HERE)},
    ),
    "GET /jobs/{job_id}/pictures/{index}/reports": Documented(
        answers={200: {"open": [REPORT], "answered": [REPORT_ANSWERED], "none": []}},
        links={"decisions": Link("GET /jobs/{job_id}/decisions", _HERE)},
    ),
}
