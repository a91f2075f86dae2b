"""A job is canceled wherever it is; it ends once, is charged once, and lets nothing out."""

from collections.abc import Callable

import pytest
from django.test import Client

from factories import make_job, make_tenant, release_and_end
from jobs.claims import stage_claim, stage_finish
from jobs.dispatch import dispatch_once
from jobs.models import Job, Outbox
from waiting import assert_one_end

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def queued(job: Job) -> None:
    """Nothing was done yet."""


def sent(job: Job) -> None:
    Outbox.objects.exclude(job=job).delete()
    Job.objects.exclude(pk=job.pk).update(admitted_at=None)
    assert dispatch_once() == 1


def running(job: Job) -> None:
    assert stage_claim(stage_id=job.stages.get(stage="align").id, holder="test")


def between_stages(job: Job) -> None:
    held = stage_claim(stage_id=job.stages.get(stage="align").id, holder="test")
    assert held
    stage_finish(claim=held, record=lambda _: None)


@pytest.mark.parametrize("reach", [queued, sent, running, between_stages])
def test_a_canceled_job_ends_there(
    client_of: Callable[..., Client], reach: Callable[[Job], None]
) -> None:
    job = make_job()
    reach(job)
    cancel = f"/api/v1/jobs/{job.id}/cancel"
    for _ in range(2):
        answer = client_of(job.tenant).post(cancel)
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert_one_end(job, "canceled")
    assert job.usage.pictures_painted == job.usage.pictures_released == 0
    assert not Outbox.objects.filter(job=job).exists()
    assert [stage for stage in job.stages.all() if stage_claim(stage_id=stage.id, holder="x")] == []
    assert not job.pictures.exclude(released_key="").exists()


def test_after_its_end_a_job_stays_as_it_is(client_of: Callable[..., Client]) -> None:
    tenant = make_tenant()
    job = release_and_end(make_job(tenant))
    usage = job.usage
    answer = client_of(tenant).post(f"/api/v1/jobs/{job.id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert_one_end(job, "succeeded")
    job = Job.objects.get(pk=job.pk)
    assert (job.usage.pictures_released, job.usage.created_at) == (1, usage.created_at)
    assert job.pictures.get().released_key
