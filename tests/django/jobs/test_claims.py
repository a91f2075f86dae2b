"""A stage is claimed and finished once, under its token, in order, and never past its job's end."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from factories import make_job
from jobs.claims import (
    Claim,
    ClaimLost,
    Onward,
    leases_renew,
    riders_claim,
    stage_claim,
    stage_fail,
    stage_finish,
)
from jobs.ending import job_end
from jobs.models import Job, Outbox, StageRun
from jobs.reconcile import leases_expire
from jobs.services import job_cancel
from jobs.states import JobStatus, StageState
from webhooks.models import Event

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def run(job: Job, stage: str) -> StageRun:
    return job.stages.get(stage=stage, round=1)


def claim(job: Job, stage: str) -> Claim | None:
    return stage_claim(stage_id=run(job, stage).id, holder="test")


def finish(job: Job, stage: str) -> None:
    held = claim(job, stage)
    assert held is not None
    stage_finish(claim=held, record=lambda _: Onward.NEXT)


def let_lease_expire(job: Job, stage: str) -> None:
    job.stages.filter(stage=stage).update(lease_expires_at=Now() - timedelta(seconds=1))
    leases_expire()
    job.stages.filter(stage=stage).update(ready_at=Now())


def test_a_claim_moves_the_job_and_takes_a_lease() -> None:
    job = make_job()
    held = claim(job, "align")
    assert held is not None
    assert held.token == 1
    row = run(job, "align")
    assert (row.state, row.attempts, row.holder) == ("running", 1, "test")
    assert row.lease_expires_at is not None
    job.refresh_from_db()
    assert job.status == JobStatus.ALIGNING


def test_a_stage_that_is_held_cannot_be_claimed_again() -> None:
    job = make_job()
    assert claim(job, "align")
    assert claim(job, "align") is None


def test_a_stage_waits_for_the_one_before() -> None:
    job = make_job()
    assert claim(job, "generate") is None
    finish(job, "align")
    assert claim(job, "generate")


def test_a_finished_stage_cannot_be_claimed_again() -> None:
    job = make_job()
    finish(job, "align")
    assert claim(job, "align") is None


@pytest.mark.parametrize("status", [JobStatus.CANCELED, JobStatus.FAILED])
def test_nothing_of_an_ended_job_can_be_claimed(status: JobStatus) -> None:
    job = make_job()
    with transaction.atomic():
        job_end(job=job, status=status, reason="test", explanation="test")
    StageRun.objects.filter(job=job, stage="align").update(state="ready")  # as if left behind
    assert claim(job, "align") is None


def test_a_zombie_whose_lease_was_taken_over_changes_nothing() -> None:
    job = make_job()
    zombie = claim(job, "align")
    assert zombie
    let_lease_expire(job, "align")
    heir = claim(job, "align")
    assert heir
    assert heir.token > zombie.token
    with pytest.raises(ClaimLost):
        stage_finish(claim=zombie, record=lambda _: pytest.fail("a zombie recorded something"))
    assert leases_renew([zombie]) == set()
    stage_fail(claim=zombie, error="from the grave")
    row = run(job, "align")
    assert (row.state, row.error, row.token) == ("running", row.error, heir.token)
    assert stage_finish(claim=heir, record=lambda _: Onward.NEXT)


def test_a_job_canceled_while_its_stage_runs_records_nothing() -> None:
    job = make_job()
    held = claim(job, "align")
    assert held
    job_cancel(job_id=job.id)
    with pytest.raises(ClaimLost):
        stage_finish(claim=held, record=lambda _: pytest.fail("recorded after the end"))
    assert leases_renew([held]) == set()


def test_a_failed_attempt_is_retried_later_and_alone() -> None:
    job = make_job()
    Outbox.objects.all().delete()
    held = claim(job, "align")
    assert held
    stage_fail(claim=held, error="boom")
    row = run(job, "align")
    assert (row.state, row.error, row.alone, row.attempts) == ("ready", "boom", True, 1)
    assert claim(job, "align") is None, "not before its time"
    assert Outbox.objects.get(job=job).available_at == row.ready_at


def test_a_stage_that_always_fails_ends_its_job_once_with_a_reason() -> None:
    job = make_job()
    finish(job, "align")
    for _ in range(3):
        held = claim(job, "generate")
        assert held
        stage_fail(claim=held, error="boom")
        job.stages.filter(state="ready").update(ready_at=Now())
    job.refresh_from_db()
    assert (job.status, job.reason) == (JobStatus.FAILED, "generate_failed")
    assert set(job.stages.values_list("state", flat=True)) == {"done", "failed", "skipped"}
    assert [event.type for event in job.events.all()] == ["job.failed"]
    assert not Outbox.objects.filter(job=job, admission=False).exists()


def test_scrutiny_that_always_fails_goes_to_a_person_and_never_on() -> None:
    job = make_job()
    finish(job, "align")
    finish(job, "generate")
    for _ in range(3):
        held = claim(job, "scrutinise")
        assert held
        stage_fail(claim=held, error="NaN")
        job.stages.filter(state="ready").update(ready_at=Now())
    job.refresh_from_db()
    assert (job.status, job.reason) == (JobStatus.NEEDS_REVIEW, "scrutinise_failed")
    assert claim(job, "release") is None


def test_an_outage_uses_up_no_attempt() -> None:
    job = make_job()
    for _ in range(10):
        held = claim(job, "align")
        assert held
        stage_fail(claim=held, error="S3 away", transient=True)
        job.stages.filter(state="ready").update(ready_at=Now())
    row = run(job, "align")
    assert (row.state, row.attempts, row.alone) == ("ready", 0, False)


def test_an_expired_lease_counts_as_an_attempt_and_runs_alone() -> None:
    job = make_job()
    assert claim(job, "align")
    assert leases_expire() == 0
    let_lease_expire(job, "align")
    row = run(job, "align")
    assert (row.state, row.attempts, row.alone) == ("ready", 1, True)


def painting_jobs(count: int, **changes: object) -> list[Job]:
    first = make_job(**changes)
    jobs = [first, *(make_job(first.tenant, **changes) for _ in range(count - 1))]
    Job.objects.filter(pk__in=[job.id for job in jobs]).update(admitted_at=Now())
    for job in jobs:
        finish(job, "align")
    return jobs


def test_riders_fit_the_batch_and_the_room() -> None:
    jobs = painting_jobs(4)
    other = painting_jobs(1, steps=3)[0]
    held = claim(jobs[0], "generate")
    assert held
    riders = riders_claim(claim=held, holder="test", room=2)
    assert {rider.job_id for rider in riders} == {jobs[1].id, jobs[2].id}
    assert run(other, "generate").state == StageState.READY
    assert {Job.objects.get(pk=r.job_id).status for r in riders} == {"generating"}


def test_a_stage_that_ended_badly_neither_rides_nor_takes_riders() -> None:
    poisonous, neighbour = painting_jobs(2)
    held = claim(poisonous, "generate")
    assert held
    stage_fail(claim=held, error="poison")
    poisonous.stages.filter(state="ready").update(ready_at=Now())
    other = claim(neighbour, "generate")
    assert other
    assert riders_claim(claim=other, holder="test", room=8) == []
    again = claim(poisonous, "generate")
    assert again
    assert again.alone
    assert riders_claim(claim=again, holder="test", room=8) == []


def test_a_finished_rider_is_carried_on_by_the_outbox() -> None:
    first, second = painting_jobs(2)
    held = claim(first, "generate")
    assert held
    (rider,) = riders_claim(claim=held, holder="test", room=1)
    Outbox.objects.all().delete()
    assert stage_finish(claim=held, record=lambda _: Onward.NEXT) is True
    assert stage_finish(claim=rider, record=lambda _: Onward.NEXT, rider=True) is False
    assert list(Outbox.objects.values_list("job_id", "admission")) == [(second.id, False)]
    assert claim(second, "generate") is None, "its own message finds nothing to do"
    assert claim(second, "scrutinise")


def test_ending_twice_is_refused_and_told_once() -> None:
    job = make_job()
    job_cancel(job_id=job.id)
    job_cancel(job_id=job.id)
    assert Event.objects.filter(job=job).count() == 1
