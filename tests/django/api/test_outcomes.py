"""Why a job was blocked or is held, and how that is contradicted."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from desk.choosing import choices_settle
from desk.models import ReviewItem
from desk.taking import item_open
from ethical_lens.results import PictureAction
from factories import make_job
from jobs.models import Job
from moderation.appeals import AnsweredAlready, appeal_answer
from moderation.models import Appeal
from review_cases import SCORES, blocked_prompt, held_job, judged_job, make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"
STATEMENT = {"statement": "The weapon is a museum piece."}


def shown(api: Client, job: Job) -> Any:
    return api.get(f"{JOBS}/{job.id}").json()["outcome"]


def appeal(api: Client, job: Job, body: Any = STATEMENT) -> Any:
    return api.post(f"{JOBS}/{job.id}/appeal", json.dumps(body), "application/json")


def test_a_blocked_prompt_is_explained(api: Client, tenant: Tenant) -> None:
    job = blocked_prompt(tenant)
    outcome = shown(api, job)
    assert (outcome["stage"], outcome["policy"]) == ("align", str(tenant.policy_version))
    assert outcome["appeal"].endswith(f"{JOBS}/{job.id}/appeal")
    assert "new job" in outcome["what_may_be_changed"]
    (cause,) = outcome["causes"]
    assert (cause["category"], cause["score"], cause["picture"]) == ("P3", 0.93, None)
    assert cause["explanation"] == "It calls for violence."
    listed = api.get(JOBS).json()["results"][0]
    assert listed["outcome"] == outcome


def test_a_blocked_picture_is_explained(client_of: Any) -> None:
    job = judged_job(PictureAction.BLOCK, PictureAction.BLOCK)
    outcome = shown(client_of(job.tenant), job)
    assert (job.status, outcome["stage"]) == ("blocked", "scrutinise")
    assert [cause["picture"] for cause in outcome["causes"]] == [0, 1]
    assert outcome["causes"][0]["reason"] == "test"


def test_scores_and_thresholds_of_what_was_found(client_of: Any) -> None:
    from ethical_lens.policy import DEFAULT_CONCEPTS
    from ethical_lens.results import Concept
    from moderation.decisions import decision_record
    from moderation.models import DecisionAction, DecisionStage

    job = judged_job(PictureAction.BLOCK)
    thresholds = {concept.value: rule.threshold for concept, rule in DEFAULT_CONCEPTS.items()}
    decision_record(
        job=job, picture=job.pictures.get(), stage=DecisionStage.SCRUTINISE, round=2,
        action=DecisionAction.BLOCK, reason="last_round", explanation="still there",
        scores={concept.value: score for concept, score in SCORES.items()},
        thresholds=thresholds, findings=["nsfw"],
    )  # fmt: skip
    (cause,) = shown(client_of(job.tenant), job)["causes"]
    assert cause["category"] == "nsfw"
    assert cause["score"] == SCORES[Concept.NSFW]
    assert cause["threshold"] == thresholds["nsfw"]
    assert cause["reason"] == "last_round", "the last word on the picture"


def test_a_held_job_says_so_and_cannot_be_appealed(client_of: Any) -> None:
    job = held_job()
    api = client_of(job.tenant)
    outcome = shown(api, job)
    assert (outcome["appeal"], outcome["causes"][0]["reason"]) == (None, "align_unreadable")
    assert outcome["causes"][0]["category"] is None
    response = appeal(api, job)
    assert (response.status_code, response.json()["code"]) == (409, "nothing_to_appeal")


def test_other_jobs_have_no_outcome(api: Client, tenant: Tenant) -> None:
    assert shown(api, make_job(tenant)) is None


def test_an_appeal_is_opened_once_and_answered_once(api: Client, tenant: Tenant) -> None:
    job = blocked_prompt(tenant)
    response = appeal(api, job)
    assert response.status_code == 201
    (opened,) = response.json()
    assert (opened["state"], opened["statement"]) == ("open", STATEMENT["statement"])
    assert opened["decision"] == shown(api, job)["causes"][0]["decision"]
    assert (again := appeal(api, job)).status_code == 409
    assert again.json()["code"] == "appealed_already"

    moderator = make_user()
    answer = {"moderator": moderator, "accept": False, "explanation": "It stays."}
    appeal_answer(appeal_id=opened["id"], **answer)
    with pytest.raises(AnsweredAlready):
        appeal_answer(appeal_id=opened["id"], **answer | {"accept": True})
    (answered,) = api.get(f"{JOBS}/{job.id}/appeals").json()
    assert (answered["state"], answered["explanation"]) == ("refused", "It stays.")
    assert appeal(api, job).json()["code"] == "appealed_already", "nor against the answer"
    job.refresh_from_db()
    assert job.status == "blocked"
    last = api.get(f"{JOBS}/{job.id}/decisions").json()[-1]
    assert (last["reason"], last["actor"]) == ("appeal_refused", "moderator")


def test_every_blocked_picture_is_appealed(client_of: Any) -> None:
    job = judged_job(PictureAction.BLOCK, PictureAction.RELEASE, PictureAction.BLOCK)
    api = client_of(job.tenant)
    assert job.status == "succeeded"
    assert [opened["picture"] for opened in appeal(api, job).json()] == [0, 2]


@pytest.mark.parametrize("body", [{}, {"statement": " "}, {"statement": "x" * 2001}, {"why": "x"}])
def test_an_appeal_says_why(api: Client, tenant: Tenant, body: Any) -> None:
    response = appeal(api, blocked_prompt(tenant), body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert not Appeal.objects.filter(tenant=tenant).exists()


def test_another_tenants_job_cannot_be_appealed(api: Client) -> None:
    job = judged_job(PictureAction.BLOCK)
    assert appeal(api, job).status_code == 404
    assert api.get(f"{JOBS}/{job.id}/appeals").status_code == 404


def test_a_moderator_sees_it_and_answers_at_the_desk(api: Client, tenant: Tenant) -> None:
    job = blocked_prompt(tenant)
    (opened,) = appeal(api, job).json()
    desk = Client()
    moderator = make_user(group="Moderators")
    desk.force_login(moderator)
    waiting = reverse("admin:moderation_appeal_changelist") + "?waiting=answer"
    item = ReviewItem.objects.get(appeal=opened["id"])
    page = reverse("admin:moderation_appeal_change", args=[opened["id"]])
    assert STATEMENT["statement"] in desk.get(waiting).content.decode()
    assert "appeals wait for an answer" in desk.get(reverse("admin:index")).content.decode()
    assert desk.post(page, {"accept": "yes", "explanation": "past the desk"}).status_code == 403
    assert reverse("desk:item", args=[item.pk]) in desk.get(page).content.decode()
    item_open(item_id=item.pk, user=moderator)
    answer = {"verdict": "allow", "explanation": "It is a museum piece."}
    assert desk.post(reverse("desk:decide", args=[item.pk]), answer).status_code == 302
    assert Appeal.objects.get(pk=opened["id"]).state == "open", "it can still be undone"
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()
    assert Appeal.objects.get(pk=opened["id"]).state == "accepted"
    assert STATEMENT["statement"] not in desk.get(waiting).content.decode()
