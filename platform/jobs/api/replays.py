"""To run a job again, and to see what came out otherwise."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.problems import Problem
from config.repetition import IdempotencyKey, answer_known, answered_once
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.api.selection import job_of, jobs_of
from jobs.replays import (
    CannotBeReplayed,
    Difference,
    job_replay,
    replay_differences,
    replay_prepared,
)
from jobs.representation import JobOut
from jobs.states import IN_FLIGHT, JobStatus
from jobs.uploads import Upload

router = Router()


class DifferenceOut(Schema):
    """One thing that came out otherwise."""

    picture: int | None = Field(description="index of the picture, none: the job")
    what: str = Field(
        description="`status`, `reason`, `text.…`, `models.<stage>.<name>` of the job; `prompt`, "
        "`draws`, `sha256`, `action`, `findings`, `scores.<concept>`, … of a picture; the same as "
        "`sent.<index>.…` of one that was sent with the job"
    )
    before: Any = Field(description="in the original")
    after: Any = Field(description="in the replay")


class ReplayOut(Schema):
    """A replay beside the job that it repeats."""

    original: UUID
    replay: UUID
    status: JobStatus = Field(description="of the replay")
    identical: bool | None = Field(description="none: the replay is still at work")
    differences: list[DifferenceOut] = Field(description="scores by 0.001 and more")


@router.post(
    "/{uuid:job_id}/replay",
    auth=APIKeyAuth(Scope.JOBS_WRITE),
    response={202: JobOut},
    summary="Run a job again as it was",
)
def replay(
    request: HttpRequest, job_id: UUID, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """A new job with the same request, seed, policy version and drawn attributes, which counts
    against the quotas. What differs is told under its `replay` once it is done."""
    original, key = job_of(request, job_id), request_key(request)

    def make(upload: Upload) -> tuple[int, dict[str, str], JobOut]:
        try:
            made = job_replay(job=original, api_key=key, upload=upload)
        except REFUSALS as error:
            raise refusal_problem(error) from error
        shown = JobOut.from_orm(jobs_of(key).get(pk=made.pk))
        return 202, {"Location": shown.urls.self}, shown

    if (known := answer_known(request, idempotency_key)) is not None:
        return known
    try:
        with replay_prepared(original) as upload:
            return answered_once(request, idempotency_key, lambda: make(upload))
    except CannotBeReplayed as error:
        raise Problem(
            409, "cannot_be_replayed", "The job cannot be run again as it was", str(error)
        ) from error


@router.get(
    "/{uuid:job_id}/replay",
    auth=APIKeyAuth(Scope.JOBS_READ),
    response=ReplayOut,
    summary="What a replay did otherwise",
)
def compare(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Of a job that is a replay: digests of models, prompts, verdicts, scores and pictures that are
    not those of the original. Where all weights are the same, there are none."""
    job = job_of(request, job_id)
    if job.replay_of_id is None:
        raise Problem(
            404, "not_a_replay", "The job repeats no other", "See `replay_of` of the job."
        )
    at_work = job.status in IN_FLIGHT
    differences: list[Difference] = [] if at_work else replay_differences(job)
    return {
        "original": job.replay_of_id,
        "replay": job.id,
        "status": job.status,
        "identical": None if at_work else not differences,
        "differences": differences,
    }
