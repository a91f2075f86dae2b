"""Scrutiny alone: a text and pictures are judged, nothing is painted."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.pagination import paginate
from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import APIKey, Scope
from config.fields import PLAIN, plain_text
from config.pages import CursorPages
from config.repetition import IdempotencyKey, answer_known, answered_once, body_response
from ethical_lens.decide import decide_text
from ethical_lens.policy import LimitExceeded
from ethical_lens.results import PictureAction, ReadFace, TextAction, TextVerdict
from jobs.api.bodies import RoomForPictures
from jobs.api.preferences import Prefer
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.api.waited import answer_waited
from jobs.models import Job, SentPicture
from jobs.representation import TextOutcome, moderation_url
from jobs.sent_pictures import sent_read
from jobs.services import ScrutinyRequest, job_cancel, scrutiny_submit
from jobs.states import JobStatus
from jobs.uploads import Upload, uploaded
from moderation.policies import policy_of_version

MOST_PICTURES: Final = 4

router = Router()
READ = APIKeyAuth(Scope.JOBS_READ)
WRITE = RoomForPictures(Scope.JOBS_WRITE)


def _readable(url: str) -> str:
    sent_read(url)
    return url


class PictureIn(Schema):
    """A picture to judge."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_readable)] = Field(
        description="an address to fetch it from, or the picture itself as "
        "`data:image/png;base64,…`: PNG, JPEG, WebP, GIF, BMP or TIFF"
    )


class ModerationIn(Schema):
    """A text, pictures, or both. What is sent together is judged together: a picture that would
    pass by itself may not pass beside its text."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        default="",
        max_length=2000,
        description="in English, unless the policy asks a language model",
        json_schema_extra={**PLAIN},
    )
    pictures: list[PictureIn] = Field(default=[], max_length=MOST_PICTURES, validate_default=True)

    @field_validator("text")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return plain_text(value)

    @field_validator("pictures")
    @classmethod
    def _something(cls, value: list[PictureIn], info: ValidationInfo) -> list[PictureIn]:
        if not value and not info.data.get("text", "said, and wrong").strip():
            raise ValueError("send a picture, or a text")
        return value

    def to_request(self) -> ScrutinyRequest:
        return ScrutinyRequest(
            text=self.text if self.text.strip() else "",
            pictures=tuple(sent_read(picture.url) for picture in self.pictures),
        )


class JudgedText(TextOutcome):
    """What text scrutiny said."""

    flagged: bool = Field(description="whether the policy does not let it pass as it is")


class JudgedPicture(Schema):
    """What picture scrutiny said of one picture that was sent."""

    index: int
    url: str | None = Field(description="where it was fetched from, none: it came in the request")
    sha256: str | None = Field(description="of the bytes that were judged")
    flagged: bool | None = Field(description="whether it would be blocked; none: no verdict")
    reason: str
    explanation: str
    scores: dict[str, float] = Field(description="by concept, 0 to 1")
    thresholds: dict[str, float] = Field(description="from which score on a concept counts")
    findings: list[str] = Field(description="the concepts that reached their threshold")
    faces: list[ReadFace] = Field(description="faces that were read, from left to right")


class ModerationUrls(Schema):
    """Where to go from here."""

    self: str
    cancel: str


class ModerationOut(Schema):
    """A moderation as it is now. There is a verdict once it has `succeeded`, and never without."""

    id: UUID
    status: JobStatus
    reason: str = Field(description="a stable code, once it has ended")
    explanation: str
    flagged: bool | None = Field(description="whether anything of it is; none: no verdict")
    policy: str
    text: JudgedText | None
    pictures: list[JudgedPicture]
    created_at: datetime
    ended_at: datetime | None
    urls: ModerationUrls

    @staticmethod
    def resolve_flagged(job: Job) -> bool | None:
        return moderation_flagged(job)

    @staticmethod
    def resolve_policy(job: Job) -> str:
        return str(job.policy_version)

    @staticmethod
    def resolve_text(job: Job) -> dict[str, Any] | None:
        verdict = text_judged(job)
        if verdict is None:
            return None
        said: dict[str, Any] = job.text_verdict or {}
        return said | {"flagged": text_flagged(job, verdict)}

    @staticmethod
    def resolve_pictures(job: Job) -> list[dict[str, Any]]:
        thresholds = policy_of_version(job.policy_version_id).thresholds
        return [_judged(picture, thresholds) for picture in job.sent.all()]

    @staticmethod
    def resolve_urls(job: Job) -> ModerationUrls:
        url = moderation_url(job.id)
        return ModerationUrls(self=url, cancel=f"{url}/cancel")


@router.post(
    "",
    auth=WRITE,
    response={201: ModerationOut, 202: ModerationOut},
    summary="Judge a text or pictures",
)
async def moderate(
    request: HttpRequest,
    moderation: ModerationIn,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> HttpResponse:
    """Nothing is painted. Answers 202 at once, or with `Prefer: wait=…` 201 once it has ended.
    Where there is no verdict (a text in another language, a picture that cannot be fetched or read,
    models that fail) it ends as `failed`, with `flagged` null: that says nothing of what was sent.
    """
    answer = await sync_to_async(_moderate)(request, moderation, idempotency_key)
    return await answer_waited(answer, prefer, lambda job_id: _as_it_is(request, job_id))


def _moderate(
    request: HttpRequest, moderation: ModerationIn, idempotency_key: str | None
) -> HttpResponse:
    key, wanted = request_key(request), moderation.to_request()

    def make(upload: Upload) -> tuple[int, dict[str, str], ModerationOut]:
        try:
            job = scrutiny_submit(tenant=key.tenant, request=wanted, api_key=key, upload=upload)
        except REFUSALS as error:
            if isinstance(error, LimitExceeded):
                error.field = "text"
            raise refusal_problem(error) from error
        shown = ModerationOut.from_orm(moderations_of(key).get(pk=job.pk))
        return 202, {"Location": shown.urls.self}, shown

    if wanted.sent and (known := answer_known(request, idempotency_key)) is not None:
        return known
    with uploaded(wanted.sent) as upload:
        return answered_once(request, idempotency_key, lambda: make(upload))


def _as_it_is(request: HttpRequest, job_id: UUID) -> HttpResponse:
    job = moderation_of(request, job_id)
    return body_response(201 if job.ended_at else 202, ModerationOut.from_orm(job))


@router.get("", auth=READ, response=list[ModerationOut], summary="List moderations, newest first")
@paginate(CursorPages)
def list_moderations(request: HttpRequest) -> QuerySet[Job]:
    """Go from page to page with `next` and `previous`."""
    return moderations_of(request_key(request))


@router.get(
    "/{uuid:moderation_id}", auth=READ, response=ModerationOut, summary="A moderation as it is now"
)
def get(request: HttpRequest, moderation_id: UUID) -> Job:
    return moderation_of(request, moderation_id)


@router.post(
    "/{uuid:moderation_id}/cancel",
    auth=APIKeyAuth(Scope.JOBS_WRITE),
    response=ModerationOut,
    summary="Cancel a moderation",
)
def cancel(request: HttpRequest, moderation_id: UUID) -> Job:
    """Ends it without a verdict, unless it has ended; repeating is harmless."""
    job_cancel(job_id=moderation_of(request, moderation_id).id)
    return moderation_of(request, moderation_id)


def moderations_of(key: APIKey) -> QuerySet[Job]:
    """All jobs of scrutiny alone of the key's tenant, with what is shown of them."""
    return (
        Job.objects.filter(tenant=key.tenant_id, n=0)
        .select_related("policy_version__policy")
        .prefetch_related("sent")
    )


def moderation_of(request: HttpRequest, moderation_id: UUID) -> Job:
    """The moderation, if it is of the tenant who asks. Raises `Http404` where it is not."""
    return get_object_or_404(moderations_of(request_key(request)), pk=moderation_id)


def text_judged(job: Job) -> TextVerdict | None:
    """What was said of the text; None before that, or where there is none."""
    return TextVerdict.model_validate(job.text_verdict) if job.text_verdict else None


def text_flagged(job: Job, verdict: TextVerdict) -> bool:
    """Whether the policy does not let the text pass as it is: as published, K1, K2 and K3."""
    policy = policy_of_version(job.policy_version_id)
    return decide_text(verdict, policy).action is not TextAction.ALLOW


def moderation_flagged(job: Job) -> bool | None:
    """Whether anything of it is flagged; None as long as not everything has a verdict."""
    if job.status != JobStatus.SUCCEEDED:
        return None
    text = text_judged(job)
    return (text is not None and text_flagged(job, text)) or any(
        sent_flagged(picture) is not False for picture in job.sent.all()
    )


def sent_flagged(picture: SentPicture) -> bool | None:
    """Whether the picture did not pass; None without a verdict."""
    action = (picture.verdict or {}).get("action", PictureAction.REVIEW)
    return None if action == PictureAction.REVIEW else action != PictureAction.RELEASE


def _judged(picture: SentPicture, thresholds: dict[str, float]) -> dict[str, Any]:
    verdict = picture.verdict or {}
    return {
        "index": picture.index,
        "url": picture.url or None,
        "sha256": picture.sha256 or None,
        "flagged": sent_flagged(picture),
        "reason": verdict.get("reason", ""),
        "explanation": verdict.get("explanation", ""),
        "scores": verdict.get("scores", {}),
        "thresholds": thresholds,
        "findings": [finding["concept"] for finding in verdict.get("findings", ())],
        "faces": verdict.get("faces", []),
    }
