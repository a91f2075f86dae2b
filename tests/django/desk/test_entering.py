"""Whatever makes something wait for a person puts it into the queue, and decides when it is due."""

from datetime import timedelta

import pytest
from django.db import transaction

from desk.models import ItemKind, ReviewItem, TenantWeight
from ethical_lens.results import Concept, Finding, PictureAction, PictureVerdict
from factories import make_job, make_tenant
from jobs.exhaustion import stage_give_up
from jobs.models import Job
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from jobs.services import job_cancel
from moderation.appeals import OwnDecision, appeal_answer, appeals_open
from moderation.review import picture_decide, prompt_decide
from review_cases import (
    SCORES,
    blocked_prompt,
    claimed,
    held_job,
    judged_job,
    make_user,
    painted_job,
    release_run,
    reviewed_picture,
)

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def open_items(job: Job) -> list[ReviewItem]:
    return list(job.review_items.filter(closed_at=None).order_by("picture__index"))


def held_with(found: Concept, **changes: object) -> ReviewItem:
    """The item of a picture that is held because of a finding nobody could repair."""
    job = painted_job(**changes)
    verdict = PictureVerdict(
        action=PictureAction.REVIEW, reason="region_not_found", explanation="Nothing was found.",
        scores=SCORES | {found: 0.95},
        findings=(Finding(concept=found, score=0.95, threshold=0.6),),
    )  # fmt: skip
    judged = ScrutinisedPicture(picture_id=job.pictures.get().id, verdict=verdict)
    scrutiny_finish({claimed(job, "scrutinise"): [judged]}, model_digests={})
    release_run(job)
    (item,) = open_items(job)
    return item


def test_a_picture_in_review_waits_until_it_is_decided() -> None:
    job = judged_job(PictureAction.REVIEW, PictureAction.RELEASE, PictureAction.REVIEW)
    first, second = open_items(job)
    assert [first.picture.index, second.picture.index] == [0, 2]  # type: ignore[union-attr]
    assert (first.kind, first.tenant_id) == (ItemKind.PICTURE, job.tenant_id)
    moderator = make_user(group="Moderators")
    assert first.picture_id is not None
    picture_decide(
        picture_id=first.picture_id, moderator=moderator, release=False, explanation="no"
    )
    assert open_items(job) == [second]
    first.refresh_from_db()
    assert first.closed_by == moderator


def test_scrutiny_that_failed_is_of_the_queue_of_errors() -> None:
    job = painted_job(n=2)
    run = job.stages.get(stage="scrutinise")
    with transaction.atomic():
        stage_give_up(job=Job.objects.select_for_update().get(pk=job.pk), run=run)
    assert [item.category for item in open_items(job)] == ["error", "error"]


@pytest.mark.parametrize("concept", list(Concept))
def test_a_finding_names_the_queue(concept: Concept) -> None:
    item = held_with(concept)
    assert item.category == concept.value
    assert item.severity == (3 if concept in {Concept.NUDE, Concept.NSFW} else 2)


def test_without_a_finding_the_nearest_score_names_the_queue() -> None:
    (item,) = open_items(judged_job(PictureAction.REVIEW))
    assert item.category == "nsfw", "0.83 of 0.70"


def test_a_prompt_that_nobody_could_judge_waits_and_is_closed_by_its_decision() -> None:
    job = held_job()
    (item,) = open_items(job)
    assert (item.kind, item.category, item.picture) == (ItemKind.PROMPT, "text", None)
    prompt_decide(
        job_id=job.id, moderator=make_user(group="Moderators"), approve=True, explanation="fine"
    )
    assert open_items(job) == []


def test_a_job_that_is_canceled_leaves_the_queue() -> None:
    job = judged_job(PictureAction.REVIEW)
    job_cancel(job_id=job.id)
    assert open_items(job) == []


def test_an_appeal_waits_and_is_answered_by_somebody_else_than_who_decided() -> None:
    picture = reviewed_picture()
    strict, other = make_user(group="Moderators"), make_user(group="Moderators")
    picture_decide(picture_id=picture.id, moderator=strict, release=False, explanation="no")
    release_run(picture.job)
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    (item,) = open_items(picture.job)
    assert (item.kind, item.appeal, item.closed_to) == (ItemKind.APPEAL, appeal, [strict.pk])
    with pytest.raises(OwnDecision, match="somebody else"):
        appeal_answer(appeal_id=appeal.id, moderator=strict, accept=True, explanation="hm")
    appeal_answer(appeal_id=appeal.id, moderator=other, accept=True, explanation="it is")
    assert open_items(picture.job) == []


def test_an_appeal_of_a_prompt_is_of_the_queue_of_texts() -> None:
    job = blocked_prompt(make_tenant())
    appeals_open(job_id=job.id, statement="It is history.")
    (item,) = open_items(job)
    assert (item.category, item.closed_to) == ("text", [])


def test_nothing_waits_where_the_transaction_fails() -> None:
    job = painted_job()
    with transaction.atomic():
        stage_give_up(
            job=Job.objects.select_for_update().get(pk=job.pk),
            run=job.stages.get(stage="scrutinise"),
        )
        assert len(open_items(job)) == 1
        transaction.set_rollback(True)
    assert open_items(job) == []


def test_severity_sets_the_clock_and_a_minor_raises_it() -> None:
    nude = held_with(Concept.NUDE)
    assert nude.due_at - nude.entered_at == timedelta(hours=4)
    assert nude.rank == nude.due_at
    culture = held_with(Concept.CULTURE)
    assert culture.due_at - culture.entered_at == timedelta(hours=8)

    job = painted_job()
    verdict = job.text_verdict
    assert verdict is None
    job.refresh_from_db()
    assert job.text_verdict is not None
    Job.objects.filter(pk=job.pk).update(text_verdict=job.text_verdict | {"minor": True})
    with transaction.atomic():
        stage_give_up(
            job=Job.objects.select_for_update().get(pk=job.pk),
            run=job.stages.get(stage="scrutinise"),
        )
    (item,) = open_items(job)
    assert item.due_at - item.entered_at == timedelta(hours=1)


def test_a_tenant_with_a_head_start_ranks_before_its_time() -> None:
    job = make_job()
    TenantWeight.objects.create(tenant=job.tenant, minutes=90)
    with transaction.atomic():
        stage_give_up(
            job=Job.objects.select_for_update().get(pk=job.pk), run=job.stages.get(stage="align")
        )
    (item,) = open_items(job)
    assert item.due_at - item.rank == timedelta(minutes=90)
