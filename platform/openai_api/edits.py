"""Pictures painted on a picture that was sent, asked for and answered in OpenAI's shape.

https://platform.openai.com/docs/api-reference/images/createEdit
"""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, ValidationError

from accounts.models import Scope
from config.problems import Problem, invalid_problem
from config.repetition import IdempotencyKey
from moderation.fetching import NoPicture, picture_known
from openai_api.answers import PicturesOut, streamed
from openai_api.examples import COMPLETED
from openai_api.images import PicturesIn, job_once, pictures_answer
from openai_api.retries import RetriedKeyAuth
from openai_api.waiting import wait_for_all

STRENGTH: Final = 0.75
"""Without a mask: enough of the picture stays to be known again."""
STRENGTH_IN_MASK: Final = 1.0
"""In a mask nothing of what was there is to stay."""

router = Router()


class EditIn(PicturesIn):
    """What is asked for beside the files; all of it is text in a form."""

    strength: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    input_fidelity: str | None = Field(default=None, description="see `strength`")


def _form() -> dict[str, Any]:
    """The body, for the document: what is asked for, beside the files."""
    schema = EditIn.model_json_schema()
    picture = {"type": "string", "contentMediaType": "application/octet-stream"}
    schema["properties"] |= {
        "image": picture | {"description": "what to paint on; `image[]` is taken, too"},
        "mask": picture | {"description": "where to paint: what is transparent in it, or white"},
    }
    schema["required"] = ["image", *schema["required"]]
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


@router.post(
    "/edits",
    auth=RetriedKeyAuth(Scope.JOBS_WRITE),
    response=PicturesOut,
    summary="Paint on a picture",
    openapi_extra={"requestBody": _form(), **streamed("image_edit", COMPLETED)},
)
async def edit(request: HttpRequest, idempotency_key: IdempotencyKey = None) -> HttpResponse:
    """Picture and mask are scrutinised before anything is painted on them. Answers once the job
    has ended."""
    job_id, wanted = await sync_to_async(_submit)(request, idempotency_key)
    await wait_for_all([job_id])
    return await sync_to_async(pictures_answer)(request, job_id, wanted, "image_edit")


def _submit(request: HttpRequest, idempotency_key: str | None) -> tuple[UUID, EditIn]:
    try:
        wanted = EditIn.model_validate(request.POST.dict())
    except ValidationError as error:
        raise invalid_problem(error.errors(include_url=False, include_input=False)) from error
    files = {name.removesuffix("[]"): some for name, some in request.FILES.lists()}
    if sum(file.size or 0 for some in files.values() for file in some) > (
        settings.ENVIRONMENT.picture_bytes
    ):
        raise RequestDataTooBig
    if unknown := sorted(files.keys() - {"image", "mask"}):
        raise _wrong(unknown[0], "no file is taken under that name")
    picture, mask = _read("image", files), _read("mask", files)
    if picture is None:
        raise _wrong("image", "send the picture to paint on, as a file")
    usual = STRENGTH if mask is None else STRENGTH_IN_MASK
    strength = usual if wanted.strength is None else wanted.strength
    job = replace(wanted.to_request(), picture=picture, mask=mask, strength=strength)
    return job_once(request, job, idempotency_key), wanted


def _read(name: str, files: "dict[str, list[UploadedFile[Any]]]") -> bytes | None:
    """The one picture of that name; None where there is none."""
    some = files.get(name, [])
    if not some:
        return None
    if len(some) > 1:
        raise _wrong(name, f"send one picture, not {len(some)}: models here paint on one")
    some[0].seek(0)
    try:
        return picture_known(some[0].read()).content
    except NoPicture as error:
        raise _wrong(name, str(error)) from error


def _wrong(field: str, what: str) -> Problem:
    return invalid_problem([{"loc": (field,), "msg": what}])
