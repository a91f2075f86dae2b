"""To contradict what was blocked."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, field_validator

from accounts.authentication import APIKeyAuth
from accounts.models import Scope
from config.fields import PLAIN_NOT_BLANK, plain_text
from config.problems import Problem
from jobs.api.selection import job_of
from moderation.appeals import AppealedAlready, NothingToAppeal, appeals_open
from moderation.models import Appeal, AppealState

router = Router()


class AppealIn(Schema):
    """Why the decision is thought to be wrong."""

    model_config = ConfigDict(extra="forbid")

    statement: str = Field(
        min_length=1,
        max_length=2000,
        description="read by a moderator",
        json_schema_extra={**PLAIN_NOT_BLANK},
    )

    @field_validator("statement")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say why")
        return plain_text(value)


class AppealOut(Schema):
    """An appeal against one decision, and its answer."""

    id: UUID
    decision: UUID = Field(description="what it is against")
    picture: int | None = Field(description="index of the picture, none: the prompt")
    statement: str
    state: AppealState
    explanation: str = Field(description="the moderator's, once there is an answer")
    created_at: datetime
    answered_at: datetime | None

    @staticmethod
    def resolve_decision(appeal: Appeal) -> UUID:
        return appeal.decision_id

    @staticmethod
    def resolve_picture(appeal: Appeal) -> int | None:
        return appeal.decision.picture.index if appeal.decision.picture else None

    @staticmethod
    def resolve_explanation(appeal: Appeal) -> str:
        return appeal.answer.explanation if appeal.answer else ""


@router.post(
    "/{uuid:job_id}/appeal",
    auth=APIKeyAuth(Scope.JOBS_WRITE),
    response={201: list[AppealOut]},
    summary="Appeal what was blocked",
)
def appeal(request: HttpRequest, job_id: UUID, appeal: AppealIn) -> Status[QuerySet[Appeal]]:
    """A moderator looks at every decision that blocked something of the job, once each. The job
    stays ended; the answer is told under `appeals` and in its decisions."""
    job = job_of(request, job_id)
    try:
        appeals_open(job_id=job.id, statement=appeal.statement)
    except NothingToAppeal as error:
        raise Problem(
            409,
            "nothing_to_appeal",
            "Nothing of this job was blocked",
            "Only decisions to block can be appealed.",
        ) from error
    except AppealedAlready as error:
        raise Problem(
            409,
            "appealed_already",
            "This was appealed already",
            "Each decision can be appealed once; see the appeals of the job.",
        ) from error
    return Status(201, _appeals(job.id))


@router.get(
    "/{uuid:job_id}/appeals",
    auth=APIKeyAuth(Scope.JOBS_READ),
    response=list[AppealOut],
    summary="The appeals of a job and their answers",
)
def appeals(request: HttpRequest, job_id: UUID) -> QuerySet[Appeal]:
    return _appeals(job_of(request, job_id).id)


def _appeals(job_id: UUID) -> QuerySet[Appeal]:
    return Appeal.objects.filter(job=job_id).select_related("decision__picture", "answer")
