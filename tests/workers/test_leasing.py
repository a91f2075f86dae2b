"""A message whose stage is not to be had, or whose job does not go on, ends its own chain."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import pytest
from celery.exceptions import Ignore
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from factories import make_job, make_tenant
from jobs.claims import (
    Claim,
    ClaimLost,
    Onward,
    stage_claim,
    stage_finish,
    stages_claim,
    stages_finish,
)
from jobs.models import Job, Outbox, StageRun
from jobs.services import job_cancel
from jobs.storage import StorageUnavailable
from workers.leasing import finish_together, stages_run

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def stage_ids(*jobs: Job, stage: str = "align") -> list[str]:
    return [str(job.stages.get(stage=stage).id) for job in jobs]


def done(claims: Sequence[Claim]) -> bool:
    return stage_finish(claim=claims[0], record=lambda _: None)


def all_done(claims: Sequence[Claim]) -> bool:
    return stages_finish(claims=claims, record=lambda _: None)


def not_to_be_done(_claims: Sequence[Claim]) -> bool:
    pytest.fail("worked on a stage that was not to be had")


def test_a_finished_stage_lets_its_chain_go_on() -> None:
    stages_run(stage_ids(make_job()), done)


def test_a_stage_that_is_leased_elsewhere_ends_the_chain() -> None:
    job = make_job()
    assert stage_claim(stage_id=job.stages.get(stage="align").id, holder="other")
    with pytest.raises(Ignore):
        stages_run(stage_ids(job), not_to_be_done)


def test_a_stage_that_is_finished_ends_the_chain() -> None:
    job = make_job()
    stages_run(stage_ids(job), done)
    with pytest.raises(Ignore):
        stages_run(stage_ids(job), not_to_be_done)


def test_a_job_that_ended_ends_the_chain() -> None:
    job = make_job()
    job_cancel(job_id=job.id)
    with pytest.raises(Ignore):
        stages_run(stage_ids(job), not_to_be_done)


def test_work_that_holds_or_ends_the_job_ends_the_chain() -> None:
    with pytest.raises(Ignore):
        stages_run(
            stage_ids(make_job()),
            lambda claims: stage_finish(claim=claims[0], record=lambda _: None, onward=Onward.STOP),
        )


def test_a_cancel_in_mid_work_ends_the_chain_and_records_nothing() -> None:
    job = make_job()

    def canceled_meanwhile(claims: Sequence[Claim]) -> bool:
        job_cancel(job_id=job.id)
        return done(claims)

    with pytest.raises(Ignore):
        stages_run(stage_ids(job), canceled_meanwhile)
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
        stages_run(stage_ids(job), fails)
    row = job.stages.get(stage="align")
    assert (row.state, row.attempts, row.outages) == ("ready", attempts, outages)
    assert str(error) in row.error


def held_jobs(count: int) -> tuple[list[Job], dict[Claim, str]]:
    """Jobs of one tenant whose first stages are all held, and their claims with a result each."""
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(count)]
    Job.objects.filter(tenant=tenant).update(admitted_at=Now())
    Outbox.objects.all().delete()
    ids = [job.stages.get(stage="align").id for job in jobs]
    claims = stages_claim(stage_ids=ids, holder="test")
    assert [claim.job_id for claim in claims] == [job.id for job in jobs]
    return jobs, {claim: f"result of {claim.job_id}" for claim in claims}


def finishing(spoilt: Job | None = None) -> Callable[[Mapping[Claim, str]], bool]:
    """Writes each result, and breaks on that of the spoilt job."""

    def finish(results: Mapping[Claim, str]) -> bool:
        def record(jobs: Mapping[UUID, Job]) -> None:
            for claim, result in results.items():
                Job.objects.filter(pk=claim.job_id, pk__in=list(jobs)).update(explanation=result)
            if spoilt and spoilt.id in jobs:
                raise RuntimeError("this one breaks")

        return stages_finish(claims=list(results), record=record)

    return finish


def states(jobs: Sequence[Job], stage: str = "align") -> list[str]:
    return [job.stages.get(stage=stage).state for job in jobs]


def written(jobs: Sequence[Job]) -> list[bool]:
    return [Job.objects.get(pk=job.pk).explanation == f"result of {job.id}" for job in jobs]


def test_a_batch_is_finished_in_one_transaction() -> None:
    jobs, results = held_jobs(3)
    with CaptureQueriesContext(connection) as seen:
        assert finish_together(results, finishing()) is True
    assert sum("FOR UPDATE" in query["sql"] for query in seen) == 1
    assert states(jobs) == ["done"] * 3
    assert states(jobs, "generate") == ["ready"] * 3
    assert written(jobs) == [True] * 3


def test_one_job_that_cannot_be_finished_costs_its_batch_nothing() -> None:
    jobs, results = held_jobs(3)
    assert finish_together(results, finishing(spoilt=jobs[1])) is True
    assert states(jobs) == ["done", "ready", "done"]
    assert written(jobs) == [True, False, True]
    failed = jobs[1].stages.get(stage="align")
    assert (failed.alone, failed.error) == (True, "RuntimeError: this one breaks")
    assert Outbox.objects.get(job=jobs[1]).available_at == failed.ready_at


def test_a_claim_that_was_lost_drops_out_of_its_batch() -> None:
    jobs, results = held_jobs(3)
    StageRun.objects.filter(job=jobs[0]).update(token=F("token") + 1)
    assert finish_together(results, finishing()) is True
    assert states(jobs) == ["running", "done", "done"]
    assert states(jobs, "generate") == ["waiting", "ready", "ready"]
    assert written(jobs) == [False, True, True]


def test_a_job_that_was_canceled_drops_out_of_its_batch() -> None:
    jobs, results = held_jobs(3)
    job_cancel(job_id=jobs[2].id)
    assert finish_together(results, finishing()) is True
    assert states(jobs) == ["done", "done", "skipped"]
    assert written(jobs) == [True, True, False]
    jobs[2].refresh_from_db()
    assert jobs[2].status == "canceled"


def test_a_batch_of_which_nothing_is_left_ends_the_chain() -> None:
    jobs, results = held_jobs(2)
    for job in jobs:
        job_cancel(job_id=job.id)
    assert finish_together(results, finishing()) is False
    assert written(jobs) == [False, False]


def stage_of(job: Job) -> str:
    return job.stages.get(state="ready").stage


@pytest.mark.parametrize("stage", ["align", "generate", "scrutinise", "release"])
def test_every_stage_takes_riders_and_carries_them_on(stage: str) -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(2)]
    Job.objects.filter(tenant=tenant).update(admitted_at=Now())
    while stage_of(jobs[0]) != stage:
        stages_run(stage_ids(*jobs, stage=stage_of(jobs[0])), all_done)
    Outbox.objects.all().delete()

    def both(claims: Sequence[Claim]) -> bool:
        assert [(claim.job_id, claim.rider) for claim in claims] == [
            (jobs[0].id, False), (jobs[1].id, True),
        ]  # fmt: skip
        return all_done(claims)

    stages_run(stage_ids(jobs[0], stage=stage), both)
    assert states(jobs, stage) == ["done", "done"]
    assert [row.job_id for row in Outbox.objects.all()] == [jobs[1].id]
    with pytest.raises(Ignore):
        stages_run(stage_ids(jobs[1], stage=stage), not_to_be_done)


def test_a_message_of_several_does_those_that_are_to_be_had() -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(4)]
    leased, poisonous = (job.stages.get(stage="align") for job in jobs[:2])
    assert stage_claim(stage_id=leased.id, holder="other")
    StageRun.objects.filter(pk=poisonous.pk).update(alone=True)

    def the_rest(claims: Sequence[Claim]) -> bool:
        assert [claim.job_id for claim in claims] == [job.id for job in jobs[2:]]
        return all_done(claims)

    stages_run(stage_ids(*jobs), the_rest)
    assert states(jobs) == ["running", "ready", "done", "done"]
    stages_run(stage_ids(jobs[1]), all_done)
    assert states(jobs)[1] == "done", "by a message of its own it is to be had"
