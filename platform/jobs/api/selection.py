"""The jobs that a key may see: every route starts from here."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.authentication import request_key
from accounts.models import APIKey
from jobs.models import Job, Picture


def jobs_of(key: APIKey) -> QuerySet[Job]:
    """All jobs of the key's tenant that paint, with what is shown of them."""
    pictures = Picture.objects.select_related("current").order_by("index")
    return (
        Job.objects.filter(tenant=key.tenant_id, n__gt=0)
        .select_related("policy_version__policy")
        .prefetch_related(Prefetch("pictures", pictures))
    )


def job_of(request: HttpRequest, job_id: UUID) -> Job:
    """The job, if it is of the tenant who asks. Raises `Http404` where it is not."""
    return get_object_or_404(jobs_of(request_key(request)), pk=job_id)
