"""What a decision holds, what it replaces, and that the database keeps both."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from config.identifiers import uuid7
from ethical_lens.results import PictureAction
from jobs.admin.story import story_of
from jobs.models import Job
from jobs.storage import StoredObject
from moderation.appeals import appeal_answer, appeals_open
from moderation.models import Decision
from moderation.repairs import picture_blur, picture_repaint
from moderation.review import picture_decide, prompt_decide
from review_cases import held_job, judged_job, make_user, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]

COPY = """
INSERT INTO moderation_decision SELECT (jsonb_populate_record(d, %s::jsonb)).*
FROM moderation_decision d WHERE id = %s
"""


def test_a_decision_of_the_system_holds_all_that_it_was_made_by() -> None:
    job = judged_job(PictureAction.BLOCK, reason="nsfw_in_last_round")
    decision = job.decisions.get(stage="scrutinise")
    picture = job.pictures.select_related("current").get()
    assert picture.current
    assert (decision.job, decision.picture, decision.actor) == (job, picture, None)
    assert (decision.action, decision.reason) == ("block", "nsfw_in_last_round")
    assert decision.explanation == "It says block."
    assert decision.scores["nsfw"] == 0.83
    assert decision.thresholds["nsfw"] == 0.7
    assert decision.model_digests == {"head": "2" * 64}
    assert decision.object_digest == picture.current.sha256
    assert decision.policy_version == job.policy_version
    assert decision.replaces is None
    assert job.decisions.get(stage="align").labels == ["K0"]


def test_a_moderator_replaces_the_system() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    held = picture.decisions.get()
    picture_decide(picture_id=picture.id, moderator=user, release=True, explanation="Harmless.")
    (decision,) = picture.decisions.filter(stage="review")
    assert decision.replaces == held
    assert list(held.replaced_by.all()) == [decision]


def test_the_api_tells_what_is_replaced(client_of: Callable[..., Client]) -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    held = picture.decisions.get()
    picture_decide(picture_id=picture.id, moderator=user, release=False, explanation="A weapon.")
    job = picture.job
    told = client_of(job.tenant).get(f"/api/v1/jobs/{job.id}/decisions").json()
    assert [decision["replaces"] for decision in told] == [None, None, str(held.id)]


def test_a_prompts_decision_replaces_what_held_it() -> None:
    job, user = held_job(), make_user(group="Moderators")
    held = job.decisions.get()
    prompt_decide(job_id=job.id, moderator=user, approve=False, explanation="Refused.")
    assert job.decisions.get(stage="review").replaces == held


def test_an_answer_replaces_what_was_appealed() -> None:
    job, user = judged_job(PictureAction.BLOCK), make_user(group="Moderators")
    blocked = job.decisions.get(stage="scrutinise")
    (appeal,) = appeals_open(job_id=job.id, statement="It is a museum piece.")
    answered = appeal_answer(
        appeal_id=appeal.id, moderator=user, accept=True, explanation="So it is."
    )
    assert answered.answer
    assert answered.answer.replaces == blocked


def copied(decision: Decision, replaces: Decision) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            COPY, [f'{{"id": "{uuid7()}", "replaces_id": "{replaces.id}"}}', decision.id]
        )


def test_the_database_refuses_to_replace_a_decision_on_another_job() -> None:
    one, other = (judged_job(PictureAction.BLOCK).decisions.first() for _ in range(2))
    assert one
    assert other
    with pytest.raises(DatabaseError, match="on its own job"):
        copied(one, other)
    copied(one, one)
    assert one.replaced_by.count() == 1


def test_a_job_reads_as_a_story_in_order() -> None:
    picture, user = reviewed_picture(), make_user(is_superuser=True)
    picture_decide(picture_id=picture.id, moderator=user, release=False, explanation="A weapon.")
    client = Client()
    client.force_login(user)
    response = client.get(reverse("admin:jobs_job_change", args=[picture.job_id]))
    titles = [chapter.title for chapter in response.context["story"]]
    assert titles == [
        "The prompt",
        "What text scrutiny said",
        "Round 1: painted and scrutinised",
        "A person blocked it",
    ]
    page = response.content.decode().partition("What happened")[2]
    places = [
        page.index(told)
        for told in (
            "a doctor in an office", "K0 safe", "Picture 0", "of 0.70", "It says review.",
            "A weapon.", "replaces “review: test” by the system",
        )
    ]  # fmt: skip
    assert places == sorted(places)


def titles_of(job: Job) -> list[str]:
    read = Job.objects.select_related("policy_version__policy").get(pk=job.pk)
    return [chapter.title for chapter in story_of(read)]


def test_what_was_done_after_the_end_is_told_after_it() -> None:
    job, user = judged_job(PictureAction.BLOCK), make_user(group="Moderators")
    assert titles_of(job)[-1] == "The end"
    (appeal,) = appeals_open(job_id=job.id, statement="It is a museum piece.")
    appeal_answer(appeal_id=appeal.id, moderator=user, accept=True, explanation="So it is.")
    assert titles_of(job)[-2:] == ["The end", "A person released it"]


def test_the_story_says_what_a_person_repaired() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    assert picture.current
    original = picture.current
    blurred = StoredObject(key=original.key, sha256="b" * 64, size=original.size)
    picture_blur(
        picture_id=picture.id, moderator=user, blurred=blurred, of=original.sha256, explanation="x"
    )
    assert "A person blurred a region" in titles_of(picture.job)
    picture = reviewed_picture()
    picture_repaint(picture_id=picture.id, moderator=user, prompt="a harbour", explanation="x")
    assert "A person had it painted anew" in titles_of(picture.job)


def test_the_story_costs_the_same_number_of_queries_however_many_pictures(
    django_assert_max_num_queries: object,
) -> None:
    for job in (judged_job(PictureAction.BLOCK), judged_job(*[PictureAction.BLOCK] * 5)):
        read = Job.objects.select_related("policy_version__policy").get(pk=job.pk)
        with django_assert_max_num_queries(2):  # type: ignore[operator]
            story_of(read)
