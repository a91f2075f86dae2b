"""Texts and pictures judged, asked for and answered in OpenAI's shape.

https://platform.openai.com/docs/api-reference/moderations
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import AfterValidator, ConfigDict, Field, field_validator

from accounts.authentication import request_key
from accounts.models import Scope
from config.fields import plain_text
from config.repetition import IdempotencyKey
from ethical_lens.decide import UNDER_TWENTY
from ethical_lens.results import Concept, Factor
from jobs.api.bodies import RoomForPictures
from jobs.api.moderations import (
    MOST_PICTURES,
    moderation_flagged,
    moderations_of,
    sent_flagged,
    text_flagged,
    text_judged,
)
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.models import Job
from jobs.representation import moderation_url
from jobs.sent_pictures import sent_read
from jobs.services import ScrutinyRequest, scrutiny_submit
from jobs.states import TERMINAL, JobStatus
from jobs.uploads import Upload
from openai_api.answers import ModerationsOut
from openai_api.errors import JobProblem
from openai_api.retries import jobs_once
from openai_api.waiting import wait_for_all

MODEL: Final = "ethical-lens"
MOST_TEXTS: Final = 20

OF_TEXTS: Final[Mapping[str, frozenset[Factor]]] = MappingProxyType(
    {
        "hate": frozenset({Factor.HATE}),
        "harassment": frozenset({Factor.HARASSMENT}),
        "violence": frozenset({Factor.VIOLENCE}),
        "violence/graphic": frozenset({Factor.SHOCKING}),
        "self-harm": frozenset({Factor.SELF_HARM}),
        "sexual": frozenset({Factor.SEXUAL}),
        "illicit": frozenset({Factor.ILLEGAL}),
        "political": frozenset({Factor.POLITICAL}),
        "culture": frozenset({Factor.CULTURE}),
    }
)
OF_PICTURES: Final[Mapping[str, frozenset[Concept]]] = MappingProxyType(
    {
        # The head for nsfw does not tell violence from nudity, so it counts for both.
        "sexual": frozenset({Concept.NUDE, Concept.NSFW}),
        "violence": frozenset({Concept.NSFW}),
        "violence/graphic": frozenset({Concept.NSFW}),
        "political": frozenset({Concept.POLITIC}),
        "culture": frozenset({Concept.CULTURE}),
        "public-figure": frozenset({Concept.PUBLIC}),
    }
)
NEVER_FOUND: Final = (
    "harassment/threatening", "hate/threatening", "illicit/violent", "self-harm/instructions",
    "self-harm/intent",
)  # fmt: skip
"""Categories of OpenAI's that nothing here tells from those above them."""
CATEGORIES: Final = (
    *dict.fromkeys([*OF_TEXTS, "sexual/minors", *OF_PICTURES]), *NEVER_FOUND,
)  # fmt: skip

router = Router()


def _one_line(text: str) -> str:
    """Lines and tabs are spaces: they mean nothing to scrutiny."""
    return plain_text(" ".join(text.split()))


def _readable(url: str) -> str:
    sent_read(url)
    return url


Text = Annotated[str, AfterValidator(_one_line), Field(max_length=2000)]


class TextPart(Schema):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: Text


class ImageURL(Schema):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, AfterValidator(_readable)]


class ImagePart(Schema):
    model_config = ConfigDict(extra="forbid")

    type: Literal["image_url"]
    image_url: ImageURL


class ModerationsIn(Schema):
    """A text, a list of texts, each judged by itself, or parts that are judged together."""

    model_config = ConfigDict(extra="forbid")

    input: Text | list[Text] | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]]
    model: str | None = None

    @field_validator("input")
    @classmethod
    def _something(cls, value: Any) -> Any:
        texts = [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)]
        parts = [v for v in value if not isinstance(v, str)]
        pictures = [part for part in parts if isinstance(part, ImagePart)]
        said = [part.text for part in parts if isinstance(part, TextPart)]
        if not all(texts) or (not texts and not pictures and not any(said)):
            raise ValueError("send a text or a picture; a text that is empty cannot be judged")
        if len(texts) > MOST_TEXTS:
            raise ValueError(f"at most {MOST_TEXTS} texts")
        if len(pictures) > MOST_PICTURES:
            raise ValueError(f"at most {MOST_PICTURES} pictures")
        if len(" ".join(said)) > 2000:
            raise ValueError("the texts have more than 2000 characters together")
        return value

    def to_requests(self) -> list[ScrutinyRequest]:
        """What is judged together, each a job."""
        if isinstance(self.input, str):
            return [ScrutinyRequest(text=self.input)]
        texts = [one for one in self.input if isinstance(one, str)]
        if texts:
            return [ScrutinyRequest(text=text) for text in texts]
        return [
            ScrutinyRequest(
                text=" ".join(part.text for part in self.input if isinstance(part, TextPart)),
                pictures=tuple(
                    sent_read(part.image_url.url)
                    for part in self.input
                    if isinstance(part, ImagePart)
                ),
            )
        ]


@router.post(
    "",
    auth=RoomForPictures(Scope.JOBS_WRITE),
    response=ModerationsOut,
    summary="Judge texts or pictures",
)
async def moderate(
    request: HttpRequest, wanted: ModerationsIn, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Answers once everything is judged. Where something has no verdict, all of it is an error."""
    job_ids = await sync_to_async(_submit)(request, wanted, idempotency_key)
    await wait_for_all(job_ids)
    return await sync_to_async(_answer)(request, job_ids)


def _submit(request: HttpRequest, wanted: ModerationsIn, idempotency_key: str | None) -> list[UUID]:
    key, requests = request_key(request), wanted.to_requests()

    def make(uploads: Sequence[Upload]) -> list[UUID]:
        try:
            with transaction.atomic():
                return [
                    scrutiny_submit(tenant=key.tenant, request=one, api_key=key, upload=upload).id
                    for one, upload in zip(requests, uploads, strict=True)
                ]
        except REFUSALS as error:
            raise refusal_problem(error) from error

    return jobs_once(request, idempotency_key, [one.sent for one in requests], make)


def _answer(request: HttpRequest, job_ids: Sequence[UUID]) -> HttpResponse:
    """One result per job. Raises `JobProblem` where one has no verdict: that is no good verdict."""
    found = moderations_of(request_key(request)).in_bulk(job_ids)
    jobs = [found[job_id] for job_id in job_ids]
    for job in jobs:
        if job.status != JobStatus.SUCCEEDED:
            raise _problem(job)
    return JsonResponse(
        {"id": f"modr-{job_ids[0]}", "model": MODEL, "results": [_result(job) for job in jobs]}
    )


def _problem(job: Job) -> JobProblem:
    url = moderation_url(job.id)
    if job.status not in TERMINAL:
        return JobProblem(504, "not_ready", f"It is not judged yet. Ask again, or see {url}.", url)
    ours = job.reason.endswith("_failed") or job.reason == "scores_unreadable"
    return JobProblem(
        500 if ours else 400, job.reason, f"There is no verdict. {job.explanation}", url,
        param="input",
    )  # fmt: skip


def _result(job: Job) -> dict[str, Any]:
    flagged, scores, types = dict.fromkeys(CATEGORIES, False), dict.fromkeys(CATEGORIES, 0.0), {
        name: list[str]() for name in CATEGORIES
    }  # fmt: skip

    def add(name: str, found: bool, score: float) -> None:
        flagged[name] = flagged[name] or found
        scores[name] = max(scores[name], score)

    text = text_judged(job)
    if text is not None:
        counts = text_flagged(job, text)
        for name, factors in OF_TEXTS.items():
            types[name].append("text")
            for factor in factors & text.factors:
                add(name, counts, text.factor_scores.get(factor, text.score))
        types["sexual/minors"].append("text")
        if text.minor and Factor.SEXUAL in text.factors:
            add("sexual/minors", True, text.score)
    pictures = list(job.sent.all())
    for name, concepts in OF_PICTURES.items():
        types[name] += ["image"] if pictures else []
        for picture in pictures:
            verdict = picture.verdict or {}
            fired = {finding["concept"] for finding in verdict.get("findings", ())}
            for concept in concepts:
                add(name, concept.value in fired, verdict.get("scores", {}).get(concept.value, 0.0))
    if any(
        sent_flagged(picture) and (picture.verdict or {}).get("reason") == UNDER_TWENTY
        for picture in pictures
    ):
        add("sexual/minors", True, max(scores["sexual"], scores["sexual/minors"]))
        types["sexual/minors"].append("image")
    return {
        "flagged": moderation_flagged(job),
        "categories": flagged,
        "category_scores": scores,
        "category_applied_input_types": types,
        "moderation": moderation_url(job.id),
    }
