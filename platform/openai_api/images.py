"""Pictures, asked for and answered in OpenAI's shape.

https://platform.openai.com/docs/api-reference/images
"""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from accounts.authentication import request_key
from accounts.models import Scope
from config.problems import invalid_problem
from config.repetition import IdempotencyKey
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.api.schemas import JobIn
from jobs.api.selection import job_of
from jobs.models import Job, Picture
from jobs.outcome import OutcomeOut, outcome_of
from jobs.representation import job_urls
from jobs.services import JobRequest, job_submit
from jobs.states import JobStatus, PictureStatus
from jobs.storage import object_get, released_url
from jobs.uploads import Upload, connection_release
from openai_api.answers import PicturesOut, streamed
from openai_api.errors import JobProblem
from openai_api.examples import COMPLETED
from openai_api.retries import RetriedKeyAuth, jobs_once
from openai_api.waiting import wait_for_all

_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)

router = Router()
WRITE = RetriedKeyAuth(Scope.JOBS_WRITE)


_OF_A_JOB: Final = frozenset(
    {"prompt", "model", "n", "negative_prompt", "lora", "steps", "guidance_scale", "seed",
     "priority"}
)  # fmt: skip


def _bounds_of_a_job(schema: dict[str, Any]) -> None:
    """What `JobIn` says of the fields that both have."""
    known = JobIn.model_json_schema()["properties"]
    schema["properties"] |= {name: known[name] for name in _OF_A_JOB & schema["properties"].keys()}


class PicturesIn(Schema):
    """What is asked for. What OpenAI has no field for comes by `extra_body`; what we do not know is
    refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_bounds_of_a_job)

    prompt: str
    model: str = ""
    n: int | None = None
    size: str = "auto"
    response_format: Literal["url", "b64_json"] = "url"
    stream: bool = False
    partial_images: int = Field(default=0, ge=0, le=3, description="taken for 0")
    # Of OpenAI's models: they change nothing here.
    user: str | None = None
    safety_identifier: str | None = None
    quality: str | None = None
    style: str | None = None
    moderation: str | None = Field(default=None, description="never less than the policy")
    background: Literal["auto", "opaque", None] = None
    output_format: Literal["png", None] = None
    output_compression: int | None = None
    # Ours.
    negative_prompt: str | None = None
    lora: str | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    seed: int | None = None
    priority: int | None = None

    @field_validator("model", "size", "response_format", "stream", "partial_images", mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[info.field_name or ""].default if value is None else value

    @field_validator("size")
    @classmethod
    def _a_size(cls, value: str) -> str:
        if value != "auto" and not _SIZE.fullmatch(value):
            raise ValueError("say auto, or width and height in pixels as in 512x512")
        return value

    def to_request(self) -> JobRequest:
        """The job that is asked for. Raises `Problem` where a field is wrong."""
        said = self.model_dump(include=set(_OF_A_JOB), exclude_none=True)
        if size := _SIZE.fullmatch(self.size):
            said |= {"width": int(size[1]), "height": int(size[2])}
        try:
            return JobIn.model_validate(said).to_request()
        except ValidationError as error:
            raise invalid_problem(
                [_of_our_field(one) for one in error.errors(include_url=False, include_input=False)]
            ) from error


def _of_our_field(error: Any) -> dict[str, Any]:
    """An error of `JobIn`, at the field that says it here."""
    sides = error["loc"] in {("width",), ("height",)}
    return {**error, "loc": ("size",) if sides else error["loc"]}


@router.post(
    "/generations",
    auth=WRITE,
    response=PicturesOut,
    summary="Make pictures",
    openapi_extra=streamed("image_generation", COMPLETED),
)
async def generate(
    request: HttpRequest, wanted: PicturesIn, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Answers once the job has ended, with the pictures that were released. With `stream`, one
    event per picture, once all are judged."""
    job_id = await sync_to_async(_submit)(request, wanted, idempotency_key)
    await wait_for_all([job_id])
    return await sync_to_async(pictures_answer)(request, job_id, wanted, "image_generation")


def _submit(request: HttpRequest, wanted: PicturesIn, idempotency_key: str | None) -> UUID:
    return job_once(request, wanted.to_request(), idempotency_key)


def job_once(request: HttpRequest, job: JobRequest, idempotency_key: str | None) -> UUID:
    """The job that is asked for, or the one that this very request has submitted before."""
    key = request_key(request)

    def make(uploads: Sequence[Upload]) -> list[UUID]:
        (upload,) = uploads
        try:
            return [job_submit(tenant=key.tenant, request=job, api_key=key, upload=upload).id]
        except REFUSALS as error:
            raise refusal_problem(error) from error

    (job_id,) = jobs_once(request, idempotency_key, [job.sent], make)
    return job_id


def pictures_answer(
    request: HttpRequest, job_id: UUID, wanted: PicturesIn, kind: str
) -> HttpResponse:
    """The released pictures of a job that has succeeded; `kind` is that of its events in a stream.

    Raises `JobProblem` for all others.
    """
    job = job_of(request, job_id)
    if job.status != JobStatus.SUCCEEDED:
        raise _problem(job)
    released = [p for p in job.pictures.all() if p.status == PictureStatus.RELEASED]
    common = {
        "background": "opaque",
        "output_format": "png",
        "quality": "auto",
        "size": f"{job.width}x{job.height}",
        "usage": _USAGE,
    }
    made = int(job.created_at.timestamp())
    connection_release()  # what follows may read every picture from the store
    if wanted.stream:
        events = [
            {"type": f"{kind}.completed", "b64_json": _base64(p), "created_at": made,
             "revised_prompt": p.prompt, **common}
            for p in released
        ]  # fmt: skip
        return HttpResponse(
            "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )
    as_url = wanted.response_format == "url"
    data = [
        {"url": released_url(p.released_key)} if as_url else {"b64_json": _base64(p)}
        for p in released
    ]
    shown = [one | {"revised_prompt": p.prompt} for one, p in zip(data, released, strict=True)]
    return JsonResponse({"created": made, "data": shown, "job": job_urls(job.id).self, **common})


_USAGE: Final = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""Pictures are counted here, not tokens; clients expect the field."""


def _base64(picture: Picture) -> str:
    assert picture.current is not None, "a released picture has a version"
    content = object_get(picture.released_key, sha256=picture.current.sha256)
    return base64.b64encode(content).decode()


def _problem(job: Job) -> JobProblem:
    """Why there are no pictures."""
    url = job_urls(job.id).self
    match job.status:
        case JobStatus.BLOCKED:
            outcome = outcome_of(job, appeal_url=job_urls(job.id).appeal)
            param = "image" if job.reason == "sent_picture_blocked" else "prompt"
            return JobProblem(400, "moderation_blocked", _why(job, outcome), url, param=param)
        case JobStatus.NEEDS_REVIEW:
            message = f"A person must look first. {job.explanation} See {url} later on."
            return JobProblem(400, "moderation_pending", message, url, param="prompt")
        case JobStatus.CANCELED:
            return JobProblem(400, "canceled", job.explanation, url)
        case JobStatus.FAILED if job.reason == "no_picture" and job.strength is not None:
            return JobProblem(400, "no_picture", job.explanation, url, param="image")
        case JobStatus.FAILED:
            return JobProblem(500, job.reason, job.explanation, url)
    return JobProblem(504, "not_ready", f"The job has not ended yet. Ask again, or see {url}.", url)


def _why(job: Job, outcome: OutcomeOut | None) -> str:
    if outcome is None:
        return job.explanation
    said = list(dict.fromkeys(cause.explanation for cause in outcome.causes))
    parts = [*(said or [job.explanation]), outcome.what_may_be_changed]
    appeal = [f"Appeal at {outcome.appeal}."] if outcome.appeal else []
    return " ".join(parts + appeal)
