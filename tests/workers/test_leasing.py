"""A message whose stage is not to be had, or whose job does not go on, ends its own chain."""

from collections.abc import Sequence

import pytest
from celery.exceptions import Ignore
from django.db.models.functions import Now

from factories import make_job, make_tenant
from jobs.claims import Claim, ClaimLost, Onward, stage_claim, stage_finish
from jobs.models import Job
from jobs.services import job_cancel
from jobs.storage import StorageUnavailable
from workers.leasing import finish_each, stage_run

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def stage_id(job: Job, stage: str = "align") -> str:
    return str(job.stages.get(stage=stage).id)


def done(claims: Sequence[Claim]) -> bool:
    return stage_finish(claim=claims[0], record=lambda _: None)


def not_to_be_done(_claims: Sequence[Claim]) -> bool:
    pytest.fail("worked on a stage that was not to be had")


def test_a_finished_stage_lets_its_chain_go_on() -> None:
    stage_run(stage_id(make_job()), done)


def test_a_stage_that_is_leased_elsewhere_ends_the_chain() -> None:
    job = make_job()
    assert stage_claim(stage_id=job.stages.get(stage="align").id, holder="other")
    with pytest.raises(Ignore):
        stage_run(stage_id(job), not_to_be_done)


def test_a_stage_that_is_finished_ends_the_chain() -> None:
    job = make_job()
    stage_run(stage_id(job), done)
    with pytest.raises(Ignore):
        stage_run(stage_id(job), not_to_be_done)


def test_a_job_that_ended_ends_the_chain() -> None:
    job = make_job()
    job_cancel(job_id=job.id)
    with pytest.raises(Ignore):
        stage_run(stage_id(job), not_to_be_done)


def test_work_that_holds_or_ends_the_job_ends_the_chain() -> None:
    with pytest.raises(Ignore):
        stage_run(
            stage_id(make_job()),
            lambda claims: stage_finish(claim=claims[0], record=lambda _: None, onward=Onward.STOP),
        )


def test_a_cancel_in_mid_work_ends_the_chain_and_records_nothing() -> None:
    job = make_job()

    def canceled_meanwhile(claims: Sequence[Claim]) -> bool:
        job_cancel(job_id=job.id)
        return done(claims)

    with pytest.raises(Ignore):
        stage_run(stage_id(job), canceled_meanwhile)
    job.refresh_from_db()
    assert job.status == "canceled"


@pytest.mark.parametrize(
    ("error", "attempts", "outages"),
    [(RuntimeError("boom"), 1, 0), (StorageUnavailable("away"), 0, 1), (ClaimLost("?"), 0, 1)],
)
def test_work_that_raises_is_recorded_and_ends_the_chain(
    error: Exception, attempts: int, outages: int
) -> None:
    job = make_job()

    def fails(_claims: Sequence[Claim]) -> bool:
        raise error

    with pytest.raises(Ignore):
        stage_run(stage_id(job), fails)
    row = job.stages.get(stage="align")
    assert (row.state, row.attempts, row.outages) == ("ready", attempts, outages)
    assert str(error) in row.error


def test_one_job_that_cannot_be_finished_costs_its_batch_nothing() -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(3)]
    claims = [stage_claim(stage_id=j.stages.get(stage="align").id, holder="test") for j in jobs]
    assert all(claims)

    def finish(claim: Claim, rider: bool) -> bool:
        if claim is claims[1]:
            raise RuntimeError("this one breaks")
        return stage_finish(claim=claim, record=lambda _: None, rider=rider)

    assert finish_each(claims, finish) is True  # type: ignore[arg-type]
    states = [job.stages.get(stage="align").state for job in jobs]
    assert states == ["done", "ready", "done"]


def test_a_batch_takes_riders_and_carries_them_on() -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(2)]
    Job.objects.filter(tenant=tenant).update(admitted_at=Now())
    for job in jobs:
        stage_run(stage_id(job), done)

    def both(claims: Sequence[Claim]) -> bool:
        assert [claim.job_id for claim in claims] == [job.id for job in jobs]
        return finish_each(
            claims,
            lambda claim, rider: stage_finish(claim=claim, record=lambda _: None, rider=rider),
        )

    stage_run(stage_id(jobs[0], "generate"), both)
    with pytest.raises(Ignore):
        stage_run(stage_id(jobs[1], "generate"), not_to_be_done)
