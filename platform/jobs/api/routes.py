"""The addresses of jobs. Each looks only at the tenant of the key."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from ninja.pagination import paginate

from accounts.authentication import APIKeyAuth, request_key
from accounts.models import APIKey, Scope
from config.pages import CursorPages
from config.problems import Problem
from config.repetition import IdempotencyKey, answered_once
from ethical_lens.policy import NotAllowed
from jobs.api.schemas import JobFilters, JobIn
from jobs.models import Job, Picture
from jobs.quotas import QuotaExceeded
from jobs.representation import DecisionOut, JobOut, ReleasedPictureOut
from jobs.services import job_cancel, job_submit
from moderation.models import Decision

router = Router()
READ = APIKeyAuth(Scope.JOBS_READ)
WRITE = APIKeyAuth(Scope.JOBS_WRITE)


@router.post("", auth=WRITE, response={202: JobOut}, summary="Submit a job")
def submit(
    request: HttpRequest, job: JobIn, idempotency_key: IdempotencyKey = None
) -> HttpResponse:
    """Answers at once: follow it at `Location`, or wait for the webhook. With an
    `Idempotency-Key` a repetition makes no second job."""
    key = request_key(request)

    def make() -> tuple[int, dict[str, str], JobOut]:
        try:
            submitted = job_submit(tenant=key.tenant, request=job.to_request(), api_key=key)
        except QuotaExceeded as error:
            raise _too_much(error) from error
        except NotAllowed as error:
            raise Problem(
                403, "not_allowed_by_policy", "The policy does not allow this", str(error),
                [(f"/{error.field}", "not allowed")],
            ) from error  # fmt: skip
        shown = JobOut.from_orm(_jobs(key).get(pk=submitted.pk))
        return 202, {"Location": shown.urls.self}, shown

    return answered_once(request, idempotency_key, make)


@router.get("", auth=READ, response=list[JobOut], summary="List jobs, newest first")
@paginate(CursorPages)
def list_jobs(request: HttpRequest, filters: Query[JobFilters]) -> QuerySet[Job]:
    """Go from page to page with `next` and `previous`."""
    return filters.filter(_jobs(request_key(request)))


@router.get("/{uuid:job_id}", auth=READ, response=JobOut, summary="A job as it is now")
def get(request: HttpRequest, job_id: UUID) -> Job:
    return _job(request, job_id)


@router.post("/{uuid:job_id}/cancel", auth=WRITE, response=JobOut, summary="Cancel a job")
def cancel(request: HttpRequest, job_id: UUID) -> Job:
    """Ends the job wherever it is. A job that has ended stays as it is; repeating is harmless."""
    job_cancel(job_id=_job(request, job_id).id)
    return _job(request, job_id)


@router.get(
    "/{uuid:job_id}/pictures",
    auth=READ,
    response=list[ReleasedPictureOut],
    summary="The pictures of a job",
)
def pictures(request: HttpRequest, job_id: UUID) -> QuerySet[Picture]:
    """Each with its outcome; released ones have a link that ends after a while."""
    return _job(request, job_id).pictures.all()


@router.get(
    "/{uuid:job_id}/decisions",
    auth=READ,
    response=list[DecisionOut],
    summary="Why a job went the way it did",
)
def decisions(request: HttpRequest, job_id: UUID) -> QuerySet[Decision]:
    """Every step of moderation, in order."""
    return _job(request, job_id).decisions.select_related("picture", "policy_version__policy")


def _jobs(key: APIKey) -> QuerySet[Job]:
    pictures = Picture.objects.select_related("current").order_by("index")
    return (
        Job.objects.filter(tenant=key.tenant_id)
        .select_related("policy_version__policy")
        .prefetch_related(Prefetch("pictures", pictures))
    )


def _job(request: HttpRequest, job_id: UUID) -> Job:
    return get_object_or_404(_jobs(request_key(request)), pk=job_id)


def _too_much(error: QuotaExceeded) -> Problem:
    return Problem(
        error.status,
        error.code,
        error.title,
        error.detail,
        [(error.pointer, "more than is left")] if error.pointer else [],
        headers={"Retry-After": str(error.retry_after)},
    )
