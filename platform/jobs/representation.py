"""How a job, its pictures and its decisions look from outside: the API's and the events' shapes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from ninja import Schema
from pydantic import Field

from ethical_lens.results import AttributeDraw, ReadFace, TextEdit
from ethical_lens.text.edits import merge_edits
from jobs.models import Job, Picture
from jobs.outcome import OutcomeOut, outcome_of
from jobs.states import JobStatus, PictureStatus
from jobs.storage import released_url
from moderation.models import Decision
from moderation.policies import version_known


class JobUrls(Schema):
    """Where to go from here."""

    self: str
    cancel: str
    events: str
    pictures: str
    decisions: str
    appeal: str


class EditOut(Schema):
    """One change of a text, and why it was made."""

    start: int = Field(description="offset into the text before")
    end: int
    before: str
    after: str
    reason: str
    factors: list[str] = Field(default=[], description="P1 to P9")


class TextOutcome(Schema):
    """What text scrutiny said of the prompt."""

    labels: list[str] = Field(description="K0 to K3, and A1 where a public figure is named")
    factors: list[str] = Field(description="P1 to P9")
    score: float = Field(description="toxicity, 0 to 1")
    explanation: str
    factor_scores: dict[str, float] = Field(default={}, description="by factor, 0 to 1")
    prompt: str = Field(description="the prompt to go on with; rewritten where K1 or K2")
    edits: list[EditOut] = Field(default=[], description="from the prompt sent to that one")
    negative_edits: list[EditOut] = Field(default=[], description="of the negative prompt")
    figures: list[str]


class PictureOut(Schema):
    """One picture: where it stands, what it was painted from, what was found in it."""

    id: UUID
    index: int
    status: PictureStatus
    reason: str
    prompt: str = Field(description="the prompt this picture was really painted from")
    edits: list[EditOut] = Field(description="from the prompt of `text` to this one")
    draws: list[AttributeDraw] = Field(description="attributes drawn for open people")
    seed: int
    round: int
    progress: float = Field(description="share of diffusion steps done, 0 to 1")
    scores: dict[str, float] = Field(description="by concept, 0 to 1")
    findings: list[str]
    faces: list[ReadFace] = Field(description="faces that were read, from left to right")
    sha256: str | None = None

    @staticmethod
    def resolve_draws(picture: Picture) -> list[dict[str, Any]]:
        return picture.draws or []

    @staticmethod
    def resolve_edits(picture: Picture) -> list[TextEdit]:
        return picture_edits(picture)

    @staticmethod
    def resolve_progress(picture: Picture) -> float:
        return min(picture.steps_done / picture.job.steps, 1.0)

    @staticmethod
    def resolve_scores(picture: Picture) -> dict[str, float]:
        scores: dict[str, float] = _verdict(picture).get("scores", {})
        return scores

    @staticmethod
    def resolve_findings(picture: Picture) -> list[str]:
        return [finding["concept"] for finding in _verdict(picture).get("findings", ())]

    @staticmethod
    def resolve_faces(picture: Picture) -> list[dict[str, Any]]:
        faces: list[dict[str, Any]] = _verdict(picture).get("faces", [])
        return faces

    @staticmethod
    def resolve_sha256(picture: Picture) -> str | None:
        return picture.current.sha256 if picture.current else None


class ReleasedPictureOut(PictureOut):
    """A picture with its link, which only released pictures have."""

    url: str | None = Field(default=None, description="presigned, for a limited time")
    url_expires_at: datetime | None = None

    @staticmethod
    def resolve_url(picture: Picture) -> str | None:
        return released_url(picture.released_key) if _is_there(picture) else None

    @staticmethod
    def resolve_url_expires_at(picture: Picture) -> datetime | None:
        if not _is_there(picture):
            return None
        return timezone.now() + timedelta(seconds=settings.ENVIRONMENT.presigned_url_seconds)


class JobOut(Schema):
    """A job as it is now."""

    id: UUID
    status: JobStatus
    reason: str = Field(description="a stable code, once the job is held or has ended")
    explanation: str
    model: str
    lora: str
    prompt: str
    negative_prompt: str
    n: int
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    priority: int
    policy: str
    text: TextOutcome | None
    pictures: list[PictureOut]
    created_at: datetime
    ended_at: datetime | None
    cancel_at: datetime | None = Field(description="canceled then, unless it has ended")
    erased_at: datetime | None = Field(
        description="its prompts and pictures are gone since, after the retention of its policy"
    )
    replay_of: UUID | None = Field(description="the job that this one repeats")
    outcome: OutcomeOut | None = Field(description="why it is blocked or held for a person")
    urls: JobUrls

    @staticmethod
    def resolve_policy(job: Job) -> str:
        return str(job.policy_version)

    @staticmethod
    def resolve_text(job: Job) -> dict[str, Any] | None:
        verdict: dict[str, Any] | None = job.text_verdict
        return verdict

    @staticmethod
    def resolve_replay_of(job: Job) -> UUID | None:
        return job.replay_of_id

    @staticmethod
    def resolve_pictures(job: Job) -> list[Picture]:
        return list(job.written or job.pictures.all())

    @staticmethod
    def resolve_outcome(job: Job) -> OutcomeOut | None:
        return outcome_of(job, appeal_url=job_urls(job.id).appeal)

    @staticmethod
    def resolve_urls(job: Job) -> JobUrls:
        return job_urls(job.id)


class WholeJobOut(JobOut):
    """A job with the links of its pictures."""

    pictures: list[ReleasedPictureOut]  # type: ignore[assignment]


class DecisionOut(Schema):
    """One step of a job's record."""

    id: UUID
    picture: int | None = Field(description="index of the picture, none: the prompt or the job")
    stage: str
    round: int
    actor: str = Field(description="system, or moderator")
    action: str
    reason: str
    explanation: str
    labels: list[str]
    factors: list[str]
    scores: dict[str, float]
    thresholds: dict[str, float]
    findings: list[str]
    faces: list[ReadFace]
    policy: str
    model_digests: dict[str, str]
    replaces: UUID | None = Field(description="the decision that holds no longer because of it")
    created_at: datetime

    @staticmethod
    def resolve_replaces(decision: Decision) -> UUID | None:
        return decision.replaces_id

    @staticmethod
    def resolve_picture(decision: Decision) -> int | None:
        return decision.picture.index if decision.picture else None

    @staticmethod
    def resolve_actor(decision: Decision) -> str:
        return "moderator" if decision.actor_id else "system"

    @staticmethod
    def resolve_policy(decision: Decision) -> str:
        return str(decision.policy_version)


def job_submitted(job: Job) -> JobOut:
    """The job as it was just submitted, of what was written: nothing is read again."""
    job.policy_version = version_known(job.policy_version_id)
    return JobOut.from_orm(job)


def job_urls(job_id: UUID) -> JobUrls:
    base = f"{settings.ENVIRONMENT.public_url}/api/v1/jobs/{job_id}"
    return JobUrls(
        self=base,
        cancel=f"{base}/cancel",
        events=f"{base}/events",
        pictures=f"{base}/pictures",
        decisions=f"{base}/decisions",
        appeal=f"{base}/appeal",
    )


def moderation_url(job_id: UUID) -> str:
    return f"{settings.ENVIRONMENT.public_url}/api/v1/moderations/{job_id}"


def picture_edits(picture: Picture) -> list[TextEdit]:
    """What leads from the prompt of the text verdict to that of `picture`; empty before that."""
    return prompt_edits(picture, picture.prompt, picture.round)


def prompt_edits(picture: Picture, prompt: str, round: int) -> list[TextEdit]:
    """What leads from the prompt of the text verdict to `prompt`, which `picture` had in that
    round; empty before that, and once it is erased."""
    before = (picture.job.text_verdict or {}).get("prompt")
    if before is None or not prompt:
        return []
    draws = [AttributeDraw.model_validate(draw) for draw in picture.draws or ()]
    return list(merge_edits(before, prompt, draws, round=round))


def _is_there(picture: Picture) -> bool:
    return picture.status == PictureStatus.RELEASED and picture.job.erased_at is None


def _verdict(picture: Picture) -> dict[str, Any]:
    return (picture.current.verdict if picture.current else None) or {}


def job_event_data(job: Job, pictures: list[Picture]) -> dict[str, Any]:
    """The `data` of a job's webhook: outcome and addresses, no prompt and no link to a picture."""
    return {
        "id": str(job.id),
        "status": job.status,
        "reason": job.reason,
        "explanation": job.explanation,
        "labels": (job.text_verdict or {}).get("labels", []),
        "pictures": [
            {
                "id": str(picture.id),
                "index": picture.index,
                "status": picture.status,
                "reason": picture.reason,
            }
            for picture in pictures
        ],
        "created_at": job.created_at.isoformat(),
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
        "urls": {"self": moderation_url(job.id)}
        if job.scrutiny_alone
        else job_urls(job.id).model_dump(),
    }
