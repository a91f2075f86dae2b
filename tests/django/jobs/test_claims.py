"""A stage is claimed and finished once, under its token, in order, and never past its job's end."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction, PictureVerdict
from factories import make_job, make_tenant
from jobs.claims import (
    Claim,
    ClaimLost,
    leases_renew,
    stage_claim,
    stage_fail,
    stage_finish,
    stages_claim,
    stages_finish,
)
from jobs.ending import job_end
from jobs.models import Job, Outbox, Picture, StageRun
from jobs.reconcile import leases_expire
from jobs.recording.painting import PaintedPicture, painting_finish
from jobs.recording.release import pictures_to_release, release_finish
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from jobs.services import job_cancel
from jobs.states import IllegalMove, JobStatus, StageState
from jobs.storage import quarantine_put
from moderation.review import picture_decide
from webhooks.models import Event

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def run(job: Job, stage: str) -> StageRun:
    return job.stages.get(stage=stage, round=1)


def claim(job: Job, stage: str) -> Claim | None:
    return stage_claim(stage_id=run(job, stage).id, holder="test")


def finish(job: Job, stage: str) -> None:
    held = claim(job, stage)
    assert held is not None
    stage_finish(claim=held, record=lambda _: None)


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
    assert (row.state, row.token) == ("running", heir.token)
    assert "grave" not in row.error
    assert stage_finish(claim=heir, record=lambda _: None)


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
    assert not Outbox.objects.filter(job=job).exists()


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
    waits = []
    for _ in range(10):
        held = claim(job, "align")
        assert held
        stage_fail(claim=held, error="S3 away", transient=True)
        row = run(job, "align")
        waits.append((row.ready_at - row.finished_at).total_seconds())
        job.stages.filter(state="ready").update(ready_at=Now())
    assert (row.state, row.attempts, row.outages) == ("ready", 0, 10)
    assert waits[3] > waits[2] > waits[1] > waits[0], "it waits longer each time"
    assert max(waits) < 61


def test_an_outage_that_does_not_end_is_given_up_in_the_end() -> None:
    job = make_job()
    job.stages.filter(stage="align").update(outages=60, attempts=2)
    held = claim(job, "align")
    assert held
    stage_fail(claim=held, error="S3 away", transient=True)
    job.refresh_from_db()
    assert (job.status, job.reason) == (JobStatus.NEEDS_REVIEW, "align_failed")
    assert job.decisions.get().reason == "align_failed"


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


def claim_with_riders(job: Job, stage: str, room: int) -> list[Claim]:
    return stages_claim(stage_ids=[run(job, stage).id], holder="test", room=room)


def test_riders_fit_the_batch_and_the_room() -> None:
    jobs = painting_jobs(4)
    other = painting_jobs(1, steps=3)[0]
    held, *riders = claim_with_riders(jobs[0], "generate", room=3)
    assert (held.job_id, held.rider) == (jobs[0].id, False)
    assert {(r.job_id, r.rider) for r in riders} == {(jobs[1].id, True), (jobs[2].id, True)}
    assert run(other, "generate").state == StageState.READY
    assert {Job.objects.get(pk=r.job_id).status for r in riders} == {"generating"}


def test_there_is_room_for_whole_jobs_only() -> None:
    first, second = painting_jobs(2, n=3)
    assert [c.job_id for c in claim_with_riders(first, "generate", room=5)] == [first.id]
    assert run(second, "generate").state == StageState.READY


def test_a_prompt_that_a_language_model_judges_takes_nobody_along() -> None:
    tenant = make_tenant(Policy(aligners=("llm", "rules")))
    jobs = [make_job(tenant) for _ in range(2)]
    Job.objects.filter(tenant=tenant).update(admitted_at=Now())
    assert len(claim_with_riders(jobs[0], "align", room=8)) == 1


def test_a_stage_that_ended_badly_neither_rides_nor_takes_riders() -> None:
    poisonous, neighbour = painting_jobs(2)
    held = claim(poisonous, "generate")
    assert held
    stage_fail(claim=held, error="poison")
    poisonous.stages.filter(state="ready").update(ready_at=Now())
    assert [c.job_id for c in claim_with_riders(neighbour, "generate", room=8)] == [neighbour.id]
    StageRun.objects.filter(job=neighbour, stage="generate").update(
        state="ready", lease_expires_at=None
    )
    assert [c.job_id for c in claim_with_riders(poisonous, "generate", room=8)] == [poisonous.id]


def test_a_finished_rider_is_carried_on_by_the_outbox() -> None:
    first, second = painting_jobs(2)
    claims = claim_with_riders(first, "generate", room=2)
    Outbox.objects.all().delete()
    assert stages_finish(claims=claims, record=lambda _: None) is True
    assert list(Outbox.objects.values_list("job_id", "admission")) == [(second.id, False)]
    assert claim(second, "generate") is None, "its own message finds nothing to do"
    assert claim(second, "scrutinise")


def test_riders_alone_send_no_link() -> None:
    first, second = painting_jobs(2)
    held, rider = claim_with_riders(first, "generate", room=2)
    Outbox.objects.all().delete()
    job_cancel(job_id=held.job_id)
    assert stages_finish(claims=[held, rider], record=lambda _: None) is False
    assert list(Outbox.objects.values_list("job_id", flat=True)) == [second.id]


def test_ending_twice_is_refused_and_told_once() -> None:
    job = make_job()
    job_cancel(job_id=job.id)
    ended = job_cancel(job_id=job.id)
    with pytest.raises(IllegalMove):
        job_end(job=ended, status=JobStatus.FAILED, reason="test", explanation="test")
    assert Event.objects.filter(job=job).count() == 1


def in_second_round() -> tuple[Job, Picture, Picture]:
    """A job whose first picture is cleared and whose second is painted again."""
    job = make_job(n=2)
    for stage in ("align", "generate", "scrutinise"):
        held = claim(job, stage)
        assert held
        if stage == "generate":
            stored = [
                quarantine_put(job_id=job.id, picture_id=p.id, round=1, png=bytes([p.index]))
                for p in job.pictures.all()
            ]
            painted = [
                PaintedPicture(p.id, "prompt", s)
                for p, s in zip(job.pictures.all(), stored, strict=True)
            ]
            painting_finish({held: painted}, model_digests={})
        elif stage == "scrutinise":
            actions = (PictureAction.RELEASE, PictureAction.REPAINT)
            judged = [
                ScrutinisedPicture(
                    picture.id,
                    PictureVerdict(
                        action=action, reason="test", explanation="test",
                        scores=dict.fromkeys(Concept, 0.1),
                    ),
                )
                for picture, action in zip(job.pictures.all(), actions, strict=True)
            ]  # fmt: skip
            assert not scrutiny_finish({held: judged}, model_digests={})
        else:
            stage_finish(claim=held, record=lambda _: None)
    first, second = job.pictures.all()
    return job, first, second


def exhaust(job: Job, stage: str, round: int) -> None:
    stage_id = job.stages.get(stage=stage, round=round).id
    for _ in range(3):
        held = stage_claim(stage_id=stage_id, holder="test")
        assert held
        stage_fail(claim=held, error="boom")
        job.stages.filter(state="ready").update(ready_at=Now())


def test_a_second_painting_that_fails_costs_only_its_picture() -> None:
    job, first, second = in_second_round()
    revise = stage_claim(stage_id=job.stages.get(stage="revise").id, holder="test")
    assert revise
    stage_finish(claim=revise, record=lambda _: None)
    exhaust(job, "generate", 2)
    held = claim(job, "release")
    assert held, "what was cleared goes out"
    assert [p.id for p in pictures_to_release([job.id])] == [first.id]
    release_finish({held: {first.id: "released/test"}})
    job.refresh_from_db()
    second.refresh_from_db()
    assert (job.status, second.status) == (JobStatus.SUCCEEDED, "failed")


def test_a_revision_that_fails_goes_to_a_person_and_keeps_what_was_cleared() -> None:
    job, first, second = in_second_round()
    exhaust(job, "revise", 2)
    job.refresh_from_db()
    statuses = list(job.pictures.values_list("status", flat=True))
    assert (job.status, statuses) == (JobStatus.NEEDS_REVIEW, ["quarantined", "in_review"])
    moderator = User.objects.create(username="moderator")
    picture_decide(picture_id=second.id, moderator=moderator, release=False, explanation="no")
    held = claim(job, "release")
    assert held
    release_finish({held: {first.id: "released/test"}})
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED


def test_a_release_that_fails_takes_back_nothing_that_is_out() -> None:
    job, first, second = in_second_round()
    exhaust(job, "revise", 2)
    moderator = User.objects.create(username="moderator")
    picture_decide(picture_id=second.id, moderator=moderator, release=True, explanation="fine")
    job.stages.filter(state="ready").update(ready_at=Now())
    held = claim(job, "release")
    assert held
    release_finish({held: {first.id: "released/test"}})  # the second is not due
    job.stages.filter(state="ready").update(ready_at=Now())
    exhaust(job, "release", 2)
    job.refresh_from_db()
    statuses = list(job.pictures.values_list("status", flat=True))
    assert (job.status, statuses) == (JobStatus.SUCCEEDED, ["released", "failed"])


@pytest.mark.parametrize("change", ["other picture", "other version", "other action", "none"])
def test_the_database_refuses_a_release_without_its_own_verdict(change: str) -> None:
    _, first, second = in_second_round()
    fields = {"status": "released", "released_key": "released/x", "released_at": Now()}
    if change == "other picture":
        victim, fields["cleared_by"] = second, first.cleared_by
    elif change == "other version":
        victim, fields["current"] = first, second.current
    elif change == "other action":
        victim, fields["cleared_by"] = second, second.decisions.get()
    else:
        victim, fields["cleared_by"] = first, None
    with pytest.raises(IntegrityError), transaction.atomic():
        Picture.objects.filter(pk=victim.pk).update(**fields)
    Picture.objects.filter(pk=first.pk).update(
        status="released", released_key="released/x", released_at=Now()
    )
