"""To report a picture that is out."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, field_validator

from accounts.authentication import APIKeyAuth
from accounts.models import Scope
from config.fields import PLAIN, plain_text
from config.problems import Problem
from jobs.api.selection import job_of
from jobs.models import Picture
from moderation.models import Report, ReportReason
from moderation.reports import NotReleased, report_open

router = Router()


class ReportIn(Schema):
    """What somebody who saw the picture says of it."""

    model_config = ConfigDict(extra="forbid")

    reason: ReportReason
    text: str = Field(
        default="",
        max_length=2000,
        description="in their words; read by a moderator",
        json_schema_extra={**PLAIN},
    )
    reporter: str = Field(
        default="",
        max_length=100,
        description="your own reference of who reports, best one that names nobody",
        json_schema_extra={**PLAIN},
    )

    @field_validator("text", "reporter")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return plain_text(value)


class ReportOut(Schema):
    """A report and what came of it."""

    id: UUID
    picture: int = Field(description="index of the picture")
    reason: ReportReason
    text: str
    reporter: str
    created_at: datetime
    answered_at: datetime | None = Field(description="none: a person has yet to look")
    action: str | None = Field(description="what the person decided")
    explanation: str = Field(description="the moderator's, once there is an answer")

    @staticmethod
    def resolve_picture(report: Report) -> int:
        return report.picture.index

    @staticmethod
    def resolve_action(report: Report) -> str | None:
        return report.answer.action if report.answer else None

    @staticmethod
    def resolve_explanation(report: Report) -> str:
        return report.answer.explanation if report.answer else ""


@router.post(
    "/{uuid:job_id}/pictures/{int:index}/reports",
    auth=APIKeyAuth(Scope.JOBS_WRITE),
    response={200: ReportOut, 201: ReportOut},
    summary="Report a released picture",
)
def report(request: HttpRequest, job_id: UUID, index: int, report: ReportIn) -> Status[Report]:
    """A person looks at the picture again, which stays out meanwhile. The same reason from the same
    reporter is the same report until it is answered: 200 with the one that is open."""
    picture = _picture_of(request, job_id, index)
    try:
        opened, new = report_open(
            picture_id=picture.id, reason=report.reason, text=report.text, reporter=report.reporter
        )
    except NotReleased as error:
        raise Problem(
            409,
            "picture_not_released",
            "The picture is not released",
            "Only a picture that is out can be reported; see its `status`.",
        ) from error
    return Status(201 if new else 200, opened)


@router.get(
    "/{uuid:job_id}/pictures/{int:index}/reports",
    auth=APIKeyAuth(Scope.JOBS_READ),
    response=list[ReportOut],
    summary="The reports of a picture and their answers",
)
def reports(request: HttpRequest, job_id: UUID, index: int) -> QuerySet[Report]:
    """Newest first, at most a hundred."""
    picture = _picture_of(request, job_id, index)
    return picture.reports.select_related("picture", "answer").order_by("-id")[:100]


def _picture_of(request: HttpRequest, job_id: UUID, index: int) -> Picture:
    return get_object_or_404(Picture, job=job_of(request, job_id).pk, index=index)
