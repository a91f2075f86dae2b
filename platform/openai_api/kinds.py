"""Every error of the routes in OpenAI's shape, for their document: the problems of `/api/v1`, and
what became of a job. `tests/django/api/test_openai_document.py` holds them against the code."""

from collections.abc import Sequence
from typing import Any, Final

from config.openapi.problems import KINDS, Kind
from config.openapi.shapes import Shape
from config.problems import Problem
from openai_api.errors import JobProblem, error_body, error_status

_JOB: Final = "https://images.example/api/v1/jobs/01a20599-44ad-71ce-b278-2d7184b94170"
_MODERATION: Final = (
    "https://images.example/api/v1/moderations/01a20599-44ad-71ce-b278-2d7184b94171"
)


def _of_job(status: int, code: str, title: str, message: str, param: str = "") -> Kind:
    return Kind(status, code, title, message, ((f"/{param}", ""),) if param else ())


def _failed(stage: str, param: str = "") -> Kind:
    return _of_job(
        500, f"{stage}_failed", "The job failed", f"The stage {stage} failed 3 times.", param
    )


OF_PICTURES: Final = {
    "moderation_blocked": _of_job(
        400, "moderation_blocked", "Prompt or pictures were refused",
        "The request touches violence (P3, extreme). This is not fit for generation. Word the "
        f"prompt without violence. Appeal at {_JOB}/appeal.", "prompt",
    ),
    "moderation_pending": _of_job(
        400, "moderation_pending", "A person must look first",
        f"A person must look first. The prompt is not in English. See {_JOB} later on.", "prompt",
    ),
    "canceled": _of_job(
        400, "canceled", "The job was canceled meanwhile", "Canceled on request."
    ),
    "failed": _failed("generate"),
    "nothing_made": _of_job(500, "no_picture", "The job failed", "No picture could be made."),
    "not_ready": _of_job(
        504, "not_ready", "The job has not ended in time",
        f"The job has not ended yet. Ask again, or see {_JOB}.",
    ),
}  # fmt: skip
OF_EDITS: Final = {
    "sent_not_read": _of_job(
        400, "no_picture", "What was sent cannot be read", "Picture 0 cannot be read.", "image"
    ),
    "sent_not_judged": _failed("inspect"),
    "sent_without_scores": _of_job(
        500, "scores_unreadable", "The job failed", "A score of picture 0 could not be read."
    ),
}
OF_MODERATIONS: Final = {
    f"input_{code}": _of_job(
        status, code, "There is no verdict", f"There is no verdict. {why}", "input"
    )
    for status, code, why in (
        (400, "no_text_verdict", "The text is not in English."),
        (400, "picture_url_refused", "Picture 0: the address is not public."),
        (400, "picture_unanswered", "Picture 0: the answer has the status 404."),
        (400, "picture_too_heavy", "Picture 0 is larger than 20971520 bytes."),
        (400, "no_picture", "Picture 0 cannot be read."),
        (400, "canceled", "Canceled on request."),
        (500, "align_failed", "The stage align failed 3 times."),
        (500, "fetch_failed", "The stage fetch failed 3 times."),
        (500, "inspect_failed", "The stage inspect failed 3 times."),
        (500, "scores_unreadable", "A score of picture 0 could not be read."),
    )
} | {
    "not_judged_yet": _of_job(
        504, "not_ready", "It is not judged in time",
        f"It is not judged yet. Ask again, or see {_MODERATION}.",
    )
}  # fmt: skip
_OF_JOBS: Final = OF_PICTURES | OF_EDITS | OF_MODERATIONS

SCHEMA: Final[dict[str, Any]] = {
    "title": "Error",
    "description": "What went wrong; `code` never changes its meaning.",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "what is wrong, and what to do"},
                "type": {
                    "enum": [
                        "invalid_request_error", "authentication_error", "permission_error",
                        "rate_limit_error", "server_error",
                    ]
                },
                "param": {"type": ["string", "null"], "description": "the first field at fault"},
                "code": {"type": "string"},
                "job": {"type": "string", "description": "where the job is seen, if there is one"},
            },
        }
    },
}  # fmt: skip


def _status(kind: Kind) -> int:
    return error_status(kind.status)


def _example(kind: Kind, path: str) -> dict[str, Any]:
    if kind not in _OF_JOBS.values():
        return error_body(Problem(kind.status, kind.code, kind.title, kind.detail, kind.errors))
    param = kind.errors[0][0].strip("/") if kind.errors else ""
    url = _MODERATION if path.endswith("/moderations") else _JOB
    return error_body(JobProblem(kind.status, kind.code, kind.detail, url, param=param))


def _narrowed(status: int, codes: Sequence[str]) -> dict[str, Any]:
    return {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}


ERROR: Final = Shape(
    name="Error",
    media_type="application/json",
    schema=SCHEMA,
    kinds=KINDS | _OF_JOBS,
    status=_status,
    example=_example,
    narrowed=_narrowed,
    marks_replays=False,
)
