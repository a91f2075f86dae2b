"""The pages of jobs, pictures and appeals tell, and lead to the desk; nothing is decided on them.
Every decision is one row, and the rules hold on the way."""

from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from desk.models import ReviewItem
from ethical_lens.results import PictureAction
from jobs.models import Outbox, Picture
from jobs.states import JobStatus, PictureStatus
from moderation.appeals import appeals_open
from moderation.models import Decision
from moderation.queue import pictures_waiting
from moderation.review import NotInReview, ReviewError, picture_decide, prompt_decide
from review_cases import held_job, judged_job, make_user, release_run, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def page_of(user: User, name: str, key: UUID) -> str:
    client = Client()
    client.force_login(user)
    response = client.get(reverse(f"admin:{name}_change", args=[key]))
    assert response.status_code == 200
    return response.content.decode()


def moderator() -> User:
    return make_user(group="Moderators")


def way_to(item: ReviewItem) -> str:
    return f'href="{reverse("desk:item", args=[item.pk])}"'


def reviews(picture: Picture) -> list[Decision]:
    return list(picture.decisions.filter(stage="review"))


def test_a_picture_that_waits_leads_to_the_desk() -> None:
    picture = reviewed_picture()
    way = way_to(picture.review_items.get())
    assert way in page_of(moderator(), "jobs_picture", picture.pk)
    assert way in page_of(moderator(), "jobs_job", picture.job_id)
    picture_decide(picture_id=picture.pk, moderator=moderator(), release=False, explanation="No.")
    assert way not in page_of(moderator(), "jobs_picture", picture.pk)


def test_a_held_prompt_leads_to_the_desk() -> None:
    job = held_job()
    assert way_to(job.review_items.get()) in page_of(moderator(), "jobs_job", job.pk)


def test_an_appeal_leads_to_the_desk() -> None:
    picture = reviewed_picture()
    picture_decide(picture_id=picture.pk, moderator=moderator(), release=False, explanation="No.")
    release_run(picture.job)
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    way = way_to(ReviewItem.objects.get(appeal=appeal))
    assert way in page_of(moderator(), "moderation_appeal", appeal.pk)
    assert way not in page_of(make_user(group="Auditors"), "moderation_appeal", appeal.pk)


def test_only_who_decides_on_that_queue_is_led_there() -> None:
    picture = reviewed_picture()
    item = picture.review_items.get()
    seeing = ["jobs.view_picture", "desk.view_reviewitem"]
    decides = ["moderation.decide", f"desk.review_{item.category}"]
    assert way_to(item) in page_of(make_user(*seeing, *decides), "jobs_picture", picture.pk)
    for missing in decides:
        left = [permission for permission in decides if permission != missing]
        user = make_user(*seeing, *left)
        assert way_to(item) not in page_of(user, "jobs_picture", picture.pk), missing


def test_a_golden_item_is_not_told_apart_by_the_page_of_its_picture() -> None:
    picture = reviewed_picture()
    item = picture.review_items.get()
    ReviewItem.objects.filter(pk=item.pk).update(expected="block")
    assert way_to(item) not in page_of(moderator(), "jobs_picture", picture.pk)


@pytest.mark.parametrize("page", ["jobs_picture", "jobs_job"])
def test_nothing_is_decided_past_the_desk(page: str) -> None:
    picture = reviewed_picture()
    key = picture.pk if page == "jobs_picture" else picture.job_id
    client = Client()
    client.force_login(moderator())
    own = reverse(f"admin:{page}_change", args=[key])
    body = {"verdict": "pass", "explanation": "let me"}
    answers = [client.post(own.replace("change", "decide"), body), client.post(own, body)]
    assert [answer.status_code for answer in answers] == [302, 403]
    assert not reviews(picture)
    assert pictures_waiting().filter(pk=picture.pk).exists()


def test_sexual_content_beside_somebody_under_twenty_is_never_released() -> None:
    job = judged_job(PictureAction.BLOCK, PictureAction.REVIEW, reason="sexual_and_under_twenty")
    blocked = job.pictures.get(index=0)
    assert not blocked.review_items.exists()
    with pytest.raises(NotInReview):
        picture_decide(picture_id=blocked.pk, moderator=moderator(), release=True, explanation="x")
    assert not reviews(blocked)
    blocked.refresh_from_db()
    assert (blocked.status, blocked.cleared_by) == (PictureStatus.BLOCKED, None)


def test_nobody_approves_a_sexual_prompt_of_a_minor() -> None:
    job = held_job()
    said = {"minor": True, "factors": ["P5"]}
    job.text_verdict = said
    job.save(update_fields=["text_verdict"])
    with pytest.raises(ReviewError, match="Nothing sexual is painted of somebody under 20"):
        prompt_decide(job_id=job.pk, moderator=moderator(), approve=True, explanation="Fine.")
    job.refresh_from_db()
    assert (job.status, job.text_verdict) == (JobStatus.NEEDS_REVIEW, said)
    prompt_decide(job_id=job.pk, moderator=moderator(), approve=False, explanation="No.")
    job.refresh_from_db()
    assert job.status == JobStatus.BLOCKED


def test_a_release_is_recorded_and_scheduled_with_its_moderator() -> None:
    picture, user = reviewed_picture(), moderator()
    decision = picture_decide(
        picture_id=picture.pk, moderator=user, release=True, explanation="A false alarm."
    )
    assert reviews(picture) == [decision]
    assert (decision.actor, decision.action) == (user, "release")
    assert decision.explanation == "A false alarm."
    assert picture.current
    assert decision.object_digest == picture.current.sha256
    picture.refresh_from_db()
    assert (picture.cleared_by, picture.status) == (decision, PictureStatus.IN_REVIEW)
    stage = picture.job.stages.get(stage="release", state="ready")
    assert Outbox.objects.get(job=picture.job).available_at == stage.ready_at
    assert not pictures_waiting().filter(pk=picture.pk).exists()


def test_a_block_settles_the_job_when_its_release_runs() -> None:
    picture = reviewed_picture()
    picture_decide(picture_id=picture.pk, moderator=moderator(), release=False, explanation="No.")
    picture.refresh_from_db()
    assert picture.status == PictureStatus.BLOCKED
    job = picture.job
    release_run(job)
    assert job.status == JobStatus.BLOCKED
    assert [event.type for event in job.events.order_by("sequence")] == [
        "job.needs_review",
        "job.blocked",
    ]


@pytest.mark.parametrize("explanation", ["", "   "])
def test_a_decision_without_an_explanation_changes_nothing(explanation: str) -> None:
    picture = reviewed_picture()
    with pytest.raises(ReviewError, match="Say why"):
        picture_decide(
            picture_id=picture.pk, moderator=moderator(), release=True, explanation=explanation
        )
    assert not reviews(picture)
    assert pictures_waiting().filter(pk=picture.pk).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_decision SET explanation = 'changed' WHERE id = %s",
        "DELETE FROM moderation_decision WHERE id = %s",
        "TRUNCATE moderation_decision CASCADE",
    ],
)
def test_the_database_refuses_to_change_a_decision(statement: str) -> None:
    picture = reviewed_picture()
    decision = picture.decisions.first()
    assert decision
    parameters = [decision.id] if "%s" in statement else []
    with (
        pytest.raises(DatabaseError, match=r"append-only|pending trigger events"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    assert Decision.objects.get(pk=decision.pk).explanation == decision.explanation
