"""`Cancel-After`: a job that has not ended in time is canceled."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from factories import make_job, move_to
from jobs.ending import job_hold
from jobs.models import Job
from jobs.reconcile import late_cancel
from jobs.services import job_cancel
from jobs.states import JobStatus

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"


def post(api: Client, cancel_after: str) -> Any:
    return api.post(
        JOBS, json.dumps({"prompt": "a doctor"}), "application/json",
        headers={"Cancel-After": cancel_after},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "seconds"), [("90s", 90), ("90", 90), ("5m", 300), ("1h30m", 5400), ("168h", 604800)]
)
def test_the_deadline_is_kept_with_the_job(api: Client, said: str, seconds: int) -> None:
    response = post(api, said)
    assert response.status_code == 202
    job = Job.objects.get(pk=response.json()["id"])
    assert abs(job.cancel_at - job.created_at - timedelta(seconds=seconds)) < timedelta(seconds=2)
    assert response.json()["cancel_at"]


@pytest.mark.parametrize("said", ["4s", "0", "169h", "soon", "", "-90s", "1.5h", "90 s", "m"])
def test_what_is_no_deadline_is_named(api: Client, tenant: Tenant, said: str) -> None:
    response = post(api, said)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["errors"][0]["pointer"] == "/header/Cancel-After"
    assert not Job.objects.filter(tenant=tenant).exists()


def late(tenant: Tenant, **changes: Any) -> Job:
    job = make_job(tenant, cancel_after=timedelta(seconds=5), **changes)
    Job.objects.filter(pk=job.pk).update(cancel_at=timezone.now() - timedelta(seconds=1))
    return job


def test_what_is_late_is_canceled_wherever_it_is(tenant: Tenant) -> None:
    queued, held, ended, early = (late(tenant) for _ in range(4))
    Job.objects.filter(pk=early.pk).update(cancel_at=timezone.now() + timedelta(hours=1))
    with transaction.atomic():
        job_hold(job=move_to(held, JobStatus.ALIGNING), reason="x", explanation="x")
    job_cancel(job_id=ended.id)
    make_job(tenant)
    assert late_cancel() == 2
    assert late_cancel() == 0
    found = {job.id: (job.status, job.reason) for job in Job.objects.filter(tenant=tenant)}
    assert found[queued.id] == found[held.id] == ("canceled", "deadline_passed")
    assert found[ended.id] == ("canceled", "canceled")
    assert found[early.id] == ("queued", "")
    assert queued.usage.pictures_painted == 0
    assert [event.type for event in queued.events.all()] == ["job.canceled"]
