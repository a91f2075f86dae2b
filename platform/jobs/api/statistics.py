"""What became of a tenant's jobs in a time."""

from datetime import datetime, timedelta
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.fields import Moment
from config.problems import Problem
from jobs.statistics import Statistics, statistics_count

LONGEST = timedelta(days=92)

router = Router()


class StatisticsOut(Schema):
    """Counts over the jobs that were submitted in the time."""

    since: datetime
    until: datetime
    jobs: dict[str, int] = Field(description="by status")
    reasons: dict[str, int] = Field(description="ended or held jobs, by reason")
    pictures: dict[str, int] = Field(description="by status")
    labels: dict[str, int] = Field(description="jobs by label of their prompt: K0 to K3, A1")
    factors: dict[str, int] = Field(description="jobs by factor of their prompt: P1 to P9")
    heads: dict[str, int] = Field(description="pictures in which a concept was found")
    drawn: dict[str, dict[str, int]] = Field(
        description="people by what was drawn for them: gender, race, age"
    )


@router.get(
    "/statistics",
    auth=APIKeyAuth(Scope.JOBS_READ),
    response=StatisticsOut,
    summary="Counts of a time",
)
def statistics(
    request: HttpRequest,
    since: Annotated[Moment | None, Query(description="by default 30 days before `until`")] = None,
    until: Annotated[Moment | None, Query(description="by default now; not included")] = None,
) -> StatisticsOut:
    """Of the tenant's jobs that were submitted in at most 92 days."""
    until = until or timezone.now()
    since = since or until - timedelta(days=30)
    if not timedelta(0) < until - since <= LONGEST:
        raise Problem(
            422,
            "invalid_request",
            "The request is not valid",
            "Ask for a time of at most 92 days.",
            [("/query/since", "not within 92 days before `until`")],
        )
    counted: Statistics = statistics_count(
        tenant_id=request_key(request).tenant_id, since=since, until=until
    )
    return StatisticsOut(since=since, until=until, **counted)
