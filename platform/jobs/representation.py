"""How a job, its pictures and its decisions look from outside: the API's and the events' shapes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from ninja import Schema
from pydantic import Field

from jobs.models import Job, Picture
from jobs.states import JobStatus, PictureStatus
from moderation.models import Decision


class JobUrls(Schema):
    """Where to go from here."""

    self: str
    cancel: str
    pictures: str
    decisions: str


class TextOutcome(Schema):
    """What text scrutiny said of the prompt."""

    labels: list[str] = Field(description="K0 to K3, and A1 where a public figure is named")
    factors: list[str] = Field(description="P1 to P9")
    score: float = Field(description="toxicity, 0 to 1")
    explanation: str
    prompt: str = Field(description="the prompt to go on with; rewritten where K1 or K2")
    figures: list[str]


class PictureOut(Schema):
    """One picture: where it stands, what it was painted from, what was found in it."""

    id: UUID
    index: int
    status: PictureStatus
    reason: str
    prompt: str = Field(description="the prompt this picture was really painted from")
    draws: list[dict[str, Any]] = Field(description="attributes drawn for open people")
    seed: int
    round: int
    progress: float = Field(description="share of diffusion steps done, 0 to 1")
    scores: dict[str, float] = Field(description="by concept, 0 to 1")
    findings: list[str]
    sha256: str | None = None


class ReleasedPictureOut(PictureOut):
    """A picture with its link, which only released pictures have."""

    url: str | None = Field(default=None, description="presigned, for a limited time")
    url_expires_at: datetime | None = None


class JobOut(Schema):
    """A job as it is now."""

    id: UUID
    status: JobStatus
    reason: str = Field(description="a stable code, once the job is held or has ended")
    explanation: str
    model: str
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
    urls: JobUrls


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
    policy: str
    model_digests: dict[str, str]
    created_at: datetime


def job_urls(job_id: UUID) -> JobUrls:
    base = f"{settings.ENVIRONMENT.public_url}/api/v1/jobs/{job_id}"
    return JobUrls(
        self=base,
        cancel=f"{base}/cancel",
        pictures=f"{base}/pictures",
        decisions=f"{base}/decisions",
    )


def picture_fields(picture: Picture, steps: int) -> dict[str, Any]:
    """The fields of `PictureOut`; `current` should be selected with the picture."""
    version = picture.current
    verdict = (version.verdict if version else None) or {}
    return {
        "id": picture.id,
        "index": picture.index,
        "status": picture.status,
        "reason": picture.reason,
        "prompt": picture.prompt,
        "draws": picture.draws or [],
        "seed": picture.seed,
        "round": picture.round,
        "progress": min(picture.steps_done / steps, 1.0),
        "scores": verdict.get("scores", {}),
        "findings": [finding["concept"] for finding in verdict.get("findings", [])],
        "sha256": version.sha256 if version else None,
    }


def job_representation(job: Job, pictures: list[Picture]) -> JobOut:
    """The whole job; `policy_version.policy` should be selected with it."""
    verdict = job.text_verdict
    return JobOut(
        id=job.id,
        status=JobStatus(job.status),
        reason=job.reason,
        explanation=job.explanation,
        model=job.model,
        prompt=job.prompt,
        negative_prompt=job.negative_prompt,
        n=job.n,
        width=job.width,
        height=job.height,
        steps=job.steps,
        guidance_scale=job.guidance_scale,
        seed=job.seed,
        priority=job.priority,
        policy=str(job.policy_version),
        text=TextOutcome.model_validate(verdict) if verdict else None,
        pictures=[PictureOut(**picture_fields(p, job.steps)) for p in pictures],
        created_at=job.created_at,
        ended_at=job.ended_at,
        urls=job_urls(job.id),
    )


def decision_representation(decision: Decision) -> DecisionOut:
    """One decision; `picture` and `policy_version.policy` should be selected with it."""
    return DecisionOut(
        id=decision.id,
        picture=decision.picture.index if decision.picture else None,
        stage=decision.stage,
        round=decision.round,
        actor="moderator" if decision.actor_id else "system",
        action=decision.action,
        reason=decision.reason,
        explanation=decision.explanation,
        labels=decision.labels,
        factors=decision.factors,
        scores=decision.scores,
        thresholds=decision.thresholds,
        findings=decision.findings,
        policy=str(decision.policy_version),
        model_digests=decision.model_digests,
        created_at=decision.created_at,
    )


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
        "urls": job_urls(job.id).model_dump(),
    }
