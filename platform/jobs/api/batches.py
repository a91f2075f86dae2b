"""Many jobs in one request, each judged by itself."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import ConfigDict, Field, ValidationError

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.problems import Problem, invalid_problem, problem_body
from config.repetition import IdempotencyKey, answered_once
from jobs.api.preferences import CancelAfter
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.api.schemas import JobIn
from jobs.api.selection import jobs_of
from jobs.representation import JobOut
from jobs.services import job_submit

router = Router()


class BatchIn(Schema):
    """Up to a hundred jobs."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[dict[str, Any]] = Field(
        min_length=1, max_length=100, description="each as `POST /jobs` takes it"
    )


class BatchItem(Schema):
    """What became of one job of a batch: it was accepted, or there is a problem."""

    index: int = Field(description="of the job in the request, from 0")
    status: int = Field(description="what `POST /jobs` would have answered")
    job: JobOut | None = None
    problem: dict[str, Any] | None = Field(default=None, description="problem details (RFC 9457)")
    retry_after: int | None = Field(
        default=None, description="seconds to wait, where a quota or the queue refused it"
    )


class BatchOut(Schema):
    """What became of each job, in the order of the request."""

    accepted: int
    results: list[BatchItem]


@router.post(
    "/batch",
    auth=APIKeyAuth(Scope.JOBS_WRITE),
    response=BatchOut,
    summary="Submit up to 100 jobs",
)
def submit_batch(
    request: HttpRequest,
    batch: BatchIn,
    idempotency_key: IdempotencyKey = None,
    cancel_after: CancelAfter = None,
) -> HttpResponse:
    """Each is accepted or refused by itself; one that is refused spoils none of the others. The
    answer is 200 also where all are refused: look at `status` of each. An `Idempotency-Key` is for
    the whole request."""

    def make() -> tuple[int, dict[str, str], BatchOut]:
        taken = [_take(request, job, cancel_after) for job in batch.jobs]
        shown = jobs_of(request_key(request)).in_bulk([t for t in taken if isinstance(t, UUID)])
        results = [
            {"index": index, "status": 202, "job": shown[outcome]}
            if isinstance(outcome, UUID)
            else {
                "index": index,
                "status": outcome.status,
                "problem": problem_body(request, outcome),
                "retry_after": outcome.headers.get("Retry-After"),
            }
            for index, outcome in enumerate(taken)
        ]
        return 200, {}, BatchOut.model_validate({"accepted": len(shown), "results": results})

    return answered_once(request, idempotency_key, make)


def _take(request: HttpRequest, job: dict[str, Any], cancel_after: str | None) -> UUID | Problem:
    key = request_key(request)
    try:
        wanted = JobIn.model_validate(job).to_request(cancel_after=cancel_after)
        return job_submit(tenant=key.tenant, request=wanted, api_key=key).id
    except ValidationError as error:
        return invalid_problem(error.errors(include_url=False, include_input=False))
    except REFUSALS as error:
        return refusal_problem(error)
