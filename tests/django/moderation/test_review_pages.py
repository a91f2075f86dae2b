"""Moderators decide on the pages; every decision is one row, and the rules hold on the way."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from ethical_lens.results import PictureAction
from jobs.models import Outbox, Picture
from jobs.states import JobStatus, PictureStatus
from moderation.models import Decision
from moderation.queue import pictures_waiting, prompts_waiting
from review_cases import held_job, judged_job, make_user, release_run, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def moderator() -> User:
    return make_user(group="Moderators")


def decide(client: Client, picture: Picture, verdict: str, explanation: str = "I looked.") -> str:
    """Post the form of the picture's page; what the next page says."""
    response = client.post(
        reverse("admin:jobs_picture_decide", args=[picture.id]),
        {"verdict": verdict, "explanation": explanation},
        follow=True,
    )
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def reviews(picture: Picture) -> list[Decision]:
    return list(picture.decisions.filter(stage="review"))


def test_a_release_is_recorded_and_scheduled_with_its_moderator() -> None:
    picture = reviewed_picture()
    user = moderator()
    assert "Released" in decide(signed_in(user), picture, "pass", "A false alarm.")
    (decision,) = reviews(picture)
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
    assert "Blocked" in decide(signed_in(moderator()), picture, "block")
    picture.refresh_from_db()
    assert picture.status == PictureStatus.BLOCKED
    job = picture.job
    release_run(job)
    assert job.status == JobStatus.BLOCKED
    assert [event.type for event in job.events.order_by("sequence")] == [
        "job.needs_review",
        "job.blocked",
    ]


def test_after_a_decision_the_next_waiting_picture_is_shown() -> None:
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW)
    first, second = job.pictures.all()
    pictures = pictures_waiting().exclude(job=job)
    Picture.objects.filter(pk__in=[p.pk for p in pictures]).update(status=PictureStatus.BLOCKED)
    response = signed_in(moderator()).post(
        reverse("admin:jobs_picture_decide", args=[first.id]),
        {"verdict": "block", "explanation": "no"},
    )
    assert response["Location"] == reverse("admin:jobs_picture_change", args=[second.id])


@pytest.mark.parametrize("explanation", ["", "   ", "nul\x00", "x" * 2001])
def test_a_decision_without_a_usable_explanation_changes_nothing(explanation: str) -> None:
    picture = reviewed_picture()
    assert "Nothing was changed" in decide(signed_in(moderator()), picture, "pass", explanation)
    assert not reviews(picture)
    assert pictures_waiting().filter(pk=picture.pk).exists()


def test_an_unknown_verdict_changes_nothing() -> None:
    picture = reviewed_picture()
    assert "Nothing was changed" in decide(signed_in(moderator()), picture, "maybe")
    assert not reviews(picture)


def test_a_second_moderator_is_told_who_was_first() -> None:
    picture = reviewed_picture()
    first = moderator()
    decide(signed_in(first), picture, "block", "A weapon is shown.")
    message = decide(signed_in(moderator()), picture, "pass")
    assert f"{first} decided this picture already: block" in message
    assert "A weapon is shown." in message
    assert len(reviews(picture)) == 1
    picture.refresh_from_db()
    assert picture.cleared_by is None


def test_whoever_may_only_look_cannot_decide() -> None:
    picture = reviewed_picture()
    client = signed_in(make_user("jobs.view_picture", "jobs.view_job"))
    page = client.get(reverse("admin:jobs_picture_change", args=[picture.id])).content.decode()
    assert 'value="pass"' not in page
    url = reverse("admin:jobs_picture_decide", args=[picture.id])
    body = {"verdict": "pass", "explanation": "let me"}
    assert client.post(url, body).status_code == 403
    assert Client().post(url, body).status_code == 302
    assert client.get(url).status_code == 405
    assert not reviews(picture)


def test_a_decision_needs_the_csrf_token() -> None:
    picture = reviewed_picture()
    client = Client(enforce_csrf_checks=True)
    client.force_login(moderator())
    url = reverse("admin:jobs_picture_decide", args=[picture.id])
    assert client.post(url, {"verdict": "pass", "explanation": "x"}).status_code == 403
    assert not reviews(picture)


def test_sexual_content_beside_somebody_under_twenty_is_never_released() -> None:
    job = judged_job(PictureAction.BLOCK, PictureAction.REVIEW, reason="sexual_and_under_twenty")
    blocked = job.pictures.get(index=0)
    client = signed_in(moderator())
    page = client.get(reverse("admin:jobs_picture_change", args=[blocked.id])).content.decode()
    assert 'value="pass"' not in page
    message = decide(client, blocked, "pass", "I want it out.")
    assert "blocked (sexual and under twenty)" in message
    assert not reviews(blocked)
    blocked.refresh_from_db()
    assert (blocked.status, blocked.cleared_by) == (PictureStatus.BLOCKED, None)


def test_a_held_prompt_is_approved_and_goes_on_as_written() -> None:
    job = held_job()
    user = moderator()
    url = reverse("admin:jobs_job_decide", args=[job.id])
    page = signed_in(user).get(reverse("admin:jobs_job_change", args=[job.id])).content.decode()
    assert url in page
    signed_in(user).post(url, {"verdict": "pass", "explanation": "Harmless."})
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert job.decisions.get(stage="review").actor == user
    assert job.stages.get(state="ready").stage == "generate"
    assert not prompts_waiting().filter(pk=job.pk).exists()


def test_a_held_prompt_is_blocked_and_cannot_be_decided_again() -> None:
    job = held_job()
    client = signed_in(moderator())
    url = reverse("admin:jobs_job_decide", args=[job.id])
    client.post(url, {"verdict": "block", "explanation": "No."})
    job.refresh_from_db()
    assert (job.status, job.reason) == (JobStatus.BLOCKED, "moderator_blocked")
    answer = client.post(url, {"verdict": "pass", "explanation": "Yes."}, follow=True)
    assert "not waiting for review" in answer.content.decode()
    assert job.decisions.filter(stage="review").count() == 1


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


def undo(client: Client, picture: Picture) -> str:
    url = reverse("admin:jobs_picture_undo", args=[picture.pk])
    return client.post(url, follow=True).content.decode()


def test_a_release_can_be_undone_before_it_is_out() -> None:
    picture = reviewed_picture()
    job = picture.job
    client = signed_in(moderator())
    decide(client, picture, "pass")
    page = client.get(reverse("admin:jobs_picture_change", args=[picture.pk])).content.decode()
    assert "Undo the release" in page
    assert "Taken back" in undo(client, picture)
    picture.refresh_from_db()
    assert (picture.status, picture.cleared_by_id) == (PictureStatus.IN_REVIEW, None)
    assert [decision.action for decision in reviews(picture)] == ["release", "review"]
    release_run(job)
    job.refresh_from_db()
    picture.refresh_from_db()
    assert (job.status, picture.status) == (JobStatus.NEEDS_REVIEW, PictureStatus.IN_REVIEW)
    assert picture in pictures_waiting()
    decide(client, picture, "block", "after a second look")
    release_run(job)
    job.refresh_from_db()
    assert job.status == JobStatus.BLOCKED


def test_what_is_out_cannot_be_undone(settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"moderator_undo_seconds": 0.0})
    picture = reviewed_picture()
    job = picture.job
    client = signed_in(moderator())
    decide(client, picture, "pass")
    release_run(job)
    assert "Too late" in undo(client, picture)
    picture.refresh_from_db()
    assert picture.status == PictureStatus.RELEASED
