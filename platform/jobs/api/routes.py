"""The addresses of jobs. Each looks only at the tenant of the key."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.pagination import paginate

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import Scope
from config.pages import CursorPages
from config.repetition import IdempotencyKey, answered_once, body_response
from jobs.api.appeals import router as appeals
from jobs.api.batches import router as batches
from jobs.api.preferences import CancelAfter, Prefer
from jobs.api.refusals import REFUSALS, refusal_problem
from jobs.api.replays import router as replays
from jobs.api.reports import router as reports
from jobs.api.schemas import JobFilters, JobIn
from jobs.api.selection import job_of, jobs_of
from jobs.api.statistics import router as statistics
from jobs.api.streams import router as streams
from jobs.api.waited import answer_waited
from jobs.models import Job, Picture
from jobs.representation import (
    DecisionOut,
    JobOut,
    ReleasedPictureOut,
    WholeJobOut,
    job_submitted,
)
from jobs.services import job_cancel, job_submit
from moderation.models import Decision

router = Router()
for part in (appeals, batches, replays, reports, statistics, streams):
    router.add_router("", part)
READ = APIKeyAuth(Scope.JOBS_READ)
WRITE = APIKeyAuth(Scope.JOBS_WRITE)


@router.post(
    "", auth=WRITE, response={201: WholeJobOut, 202: JobOut | WholeJobOut}, summary="Submit a job"
)
async def submit(
    request: HttpRequest,
    job: JobIn,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    cancel_after: CancelAfter = None,
) -> HttpResponse:
    """Answers 202 at once: follow it at `Location`, or wait for the webhook. With `Prefer: wait=…`
    it answers once the job has ended, with 201 and links to what was released, or with 202 when the
    time is up or a person must look. With an `Idempotency-Key` a repetition makes no second job."""
    answer = await sync_to_async(_submit)(request, job, idempotency_key, cancel_after)
    return await answer_waited(answer, prefer, lambda job_id: _as_it_is(request, job_id))


def _submit(
    request: HttpRequest, job: JobIn, idempotency_key: str | None, cancel_after: str | None
) -> HttpResponse:
    key, wanted = request_key(request), job.to_request(cancel_after=cancel_after)

    def make() -> tuple[int, dict[str, str], JobOut]:
        try:
            submitted = job_submit(tenant=key.tenant, request=wanted, api_key=key)
        except REFUSALS as error:
            raise refusal_problem(error) from error
        shown = job_submitted(submitted)
        return 202, {"Location": shown.urls.self}, shown

    return answered_once(request, idempotency_key, make)


def _as_it_is(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The whole job with 201 where it has ended, else 202."""
    job = job_of(request, job_id)
    return body_response(201 if job.ended_at else 202, WholeJobOut.from_orm(job))


@router.get("", auth=READ, response=list[JobOut], summary="List jobs, newest first")
@paginate(CursorPages)
def list_jobs(request: HttpRequest, filters: Query[JobFilters]) -> QuerySet[Job]:
    """Go from page to page with `next` and `previous`."""
    jobs = jobs_of(request_key(request)).prefetch_related(
        Prefetch("decisions", Decision.objects.select_related("picture"))
    )
    return filters.filter(jobs)


@router.get("/{uuid:job_id}", auth=READ, response=JobOut, summary="A job as it is now")
def get(request: HttpRequest, job_id: UUID) -> Job:
    return job_of(request, job_id)


@router.post("/{uuid:job_id}/cancel", auth=WRITE, response=JobOut, summary="Cancel a job")
def cancel(request: HttpRequest, job_id: UUID) -> Job:
    """Ends the job wherever it is. A job that has ended stays as it is; repeating is harmless."""
    job_cancel(job_id=job_of(request, job_id).id)
    return job_of(request, job_id)


@router.get(
    "/{uuid:job_id}/pictures",
    auth=READ,
    response=list[ReleasedPictureOut],
    summary="The pictures of a job",
)
def pictures(request: HttpRequest, job_id: UUID) -> QuerySet[Picture]:
    """Each with its outcome; released ones have a link that ends after a while."""
    return job_of(request, job_id).pictures.all()


@router.get(
    "/{uuid:job_id}/decisions",
    auth=READ,
    response=list[DecisionOut],
    summary="Why a job went the way it did",
)
def decisions(request: HttpRequest, job_id: UUID) -> QuerySet[Decision]:
    """Every step of moderation, in order."""
    return job_of(request, job_id).decisions.select_related("picture", "policy_version__policy")
