"""A job run again as it was, and what came out otherwise."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from factories import make_job, make_tenant
from jobs.models import Job
from jobs.replays import CannotBeReplayed, job_replay
from jobs.services import job_cancel
from jobs.storage import object_delete, sent_put
from moderation.policies import policy_version_add
from moderation.review import picture_decide, prompt_decide
from policies.retention import job_erase
from review_cases import (
    blocked_prompt,
    held_job,
    judge,
    judged_job,
    make_user,
    paint,
    release_run,
    reviewed_picture,
)

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"
DRAWN = {"cluster": 0, "gender": "female", "race": "Asian", "age": "middle age"}
SAME = (
    "prompt", "negative_prompt", "model", "lora", "n", "width", "height", "steps",
    "guidance_scale", "seed", "policy",
)  # fmt: skip


@pytest.fixture
def original() -> Job:
    job = judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    job.pictures.update(draws=[DRAWN])
    return job


@pytest.fixture
def own(client_of: Any, original: Job) -> Client:
    """A client of the original's tenant."""
    client: Client = client_of(original.tenant)
    return client


def replay(api: Client, job: Job, **headers: str) -> Any:
    return api.post(f"{JOBS}/{job.id}/replay", headers=headers)


def compared(api: Client, job: Job) -> Any:
    return api.get(f"{JOBS}/{job.id}/replay").json()


def what(comparison: Any) -> dict[tuple[int | None, str], tuple[Any, Any]]:
    return {(d["picture"], d["what"]): (d["before"], d["after"]) for d in comparison["differences"]}


def test_it_is_a_new_job_with_what_the_original_had(own: Client, original: Job) -> None:
    tenant = original.tenant
    tenant.policy_version = policy_version_add(
        policy=tenant.policy_version.policy,
        document=Policy(),
        created_by=make_user(),
    )
    tenant.save()
    response = replay(own, original)
    assert response.status_code == 202
    body = response.json()
    assert response["Location"] == body["urls"]["self"]
    before = own.get(f"{JOBS}/{original.id}").json()
    assert {name: body[name] for name in SAME} == {name: before[name] for name in SAME}
    assert (body["replay_of"], body["status"]) == (str(original.id), "queued")
    assert body["id"] != str(original.id)
    assert [p["seed"] for p in body["pictures"]] == [p["seed"] for p in before["pictures"]]
    assert [p["draws"] for p in body["pictures"]] == [[DRAWN], [DRAWN]]
    assert before["replay_of"] is None
    job = Job.objects.get(pk=body["id"])
    assert job.policy_version_id == original.policy_version_id != tenant.policy_version_id


def test_one_key_makes_one_replay(own: Client, original: Job) -> None:
    first = replay(own, original, **{"Idempotency-Key": "again"})
    again = replay(own, original, **{"Idempotency-Key": "again"})
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert original.replays.count() == 1
    other = judged_job(PictureAction.RELEASE, tenant=original.tenant)
    reused = replay(own, other, **{"Idempotency-Key": "again"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


def test_a_body_is_not_needed_and_does_no_harm(own: Client, original: Job) -> None:
    path = f"{JOBS}/{original.id}/replay"
    headers = {"Idempotency-Key": "with a body".replace(" ", "-")}
    bodies = [own.generic("POST", path, body, headers=headers) for body in ("", "", "no JSON")]
    assert [response.status_code for response in bodies] == [202, 202, 422]
    assert original.replays.count() == 1


def test_it_counts_against_the_quotas(own: Client, original: Job) -> None:
    Tenant.objects.filter(pk=original.tenant_id).update(jobs_in_flight=1)
    assert replay(own, original).status_code == 202
    refused = replay(own, original)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_jobs_in_flight")
    assert original.replays.count() == 1


def test_it_asks_for_no_more_than_its_key_may(original: Job) -> None:
    Job.objects.filter(pk=original.pk).update(priority=9)
    _, key = api_key_create(
        tenant=original.tenant, name="low", scopes=[Scope.JOBS_WRITE], priority_limit=2
    )
    api = Client(headers={"Authorization": f"Bearer {key}"})
    assert replay(api, original).json()["priority"] == 2


def _in_flight(tenant: Tenant) -> Job:
    return make_job(tenant)


def _canceled(tenant: Tenant) -> Job:
    return job_cancel(job_id=make_job(tenant).id)


def _without_a_verdict(tenant: Tenant) -> Job:
    job = held_job()
    Job.objects.filter(pk=job.pk).update(tenant=tenant)
    prompt_decide(job_id=job.id, moderator=make_user(), approve=False, explanation="No.")
    return job


def _of_a_model_that_is_gone(tenant: Tenant) -> Job:
    job = judged_job(PictureAction.RELEASE, tenant=tenant)
    Job.objects.filter(pk=job.pk).update(model="retired")
    return job


def _of_weights_that_are_gone(tenant: Tenant) -> Job:
    job = judged_job(PictureAction.RELEASE, tenant=tenant)
    Job.objects.filter(pk=job.pk).update(lora="retired")
    return job


def _with_a_picture_that_is_gone(tenant: Tenant) -> Job:
    job = judged_job(PictureAction.RELEASE, tenant=tenant)
    stored = sent_put(job_id=job.id, index=0, content=b"a picture")
    job.sent.create(index=0, key=stored.key, sha256=stored.sha256, size=stored.size)
    object_delete(stored.key)
    return job


@pytest.mark.parametrize(
    ("make", "detail"),
    [
        (_with_a_picture_that_is_gone, "The picture that was sent with it is not kept any more"),
        (_in_flight, "It is queued"),
        (_canceled, "It is canceled"),
        (_without_a_verdict, "never had a verdict"),
        (_of_a_model_that_is_gone, "model retired is not there"),
        (_of_weights_that_are_gone, "LoRA weights retired are not there"),
    ],
)
def test_what_cannot_be_run_again_says_why(
    api: Client, tenant: Tenant, make: Any, detail: str
) -> None:
    job = make(tenant)
    response = replay(api, job)
    assert (response.status_code, response.json()["code"]) == (409, "cannot_be_replayed")
    assert detail in response.json()["detail"]
    assert not job.replays.exists()


def test_scrutiny_alone_is_no_job_to_replay(tenant: Tenant, api: Client) -> None:
    job = judged_job(PictureAction.RELEASE, tenant=tenant)
    Job.objects.filter(pk=job.pk).update(n=0)
    assert replay(api, job).status_code == 404
    job.refresh_from_db()
    api_key, _ = api_key_create(tenant=tenant, name="x", scopes=[Scope.JOBS_WRITE])
    with pytest.raises(CannotBeReplayed, match="send that again"):
        job_replay(job=job, api_key=api_key)


def test_what_a_person_stopped_is_not_run_again(client_of: Any) -> None:
    picture = reviewed_picture([PictureAction.REVIEW, PictureAction.RELEASE])
    picture_decide(
        picture_id=picture.id, moderator=make_user(), release=False, explanation="A real person."
    )
    release_run(picture.job)
    assert picture.job.status == "succeeded"
    response = replay(client_of(picture.job.tenant), picture.job)
    assert "moderator stopped" in response.json()["detail"]


def test_the_policy_of_today_must_let_it(client_of: Any) -> None:
    job = judged_job(PictureAction.RELEASE)
    stricter = make_tenant(Policy(models=frozenset({"other"}))).policy_version
    Tenant.objects.filter(pk=job.tenant_id).update(policy_version=stricter)
    response = replay(client_of(job.tenant), job)
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed_by_policy")


def test_what_is_at_work_is_not_compared_yet(own: Client, original: Job) -> None:
    again = Job.objects.get(pk=replay(own, original).json()["id"])
    assert compared(own, again) == {
        "original": str(original.id), "replay": str(again.id), "status": "queued",
        "identical": None, "differences": [],
    }  # fmt: skip


def test_the_same_again_is_identical(client_of: Any) -> None:
    original = judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    api = client_of(original.tenant)
    again = Job.objects.get(pk=replay(api, original).json()["id"])
    judge(paint(again), PictureAction.RELEASE, PictureAction.BLOCK)
    comparison = compared(api, again)
    assert (comparison["identical"], comparison["differences"]) == (True, [])
    assert comparison["status"] == "succeeded"
    assert job_erase(job_id=original.pk)
    comparison = compared(api, again)
    assert (comparison["identical"], comparison["differences"]) == (True, []), "nothing to compare"


def test_what_differs_is_told(own: Client, original: Job) -> None:
    again = Job.objects.get(pk=replay(own, original).json()["id"])
    judge(paint(again), PictureAction.BLOCK, PictureAction.BLOCK)
    version = again.pictures.get(index=1).current
    assert version is not None
    version.model_digests = {"unet": "9" * 64}
    version.sha256, version.verdict["scores"]["nsfw"] = "8" * 64, 0.9
    version.save()
    Job.objects.filter(pk=again.pk).update(text_verdict=again.text_verdict | {"labels": ["K1"]})
    found = what(compared(own, again))
    assert found[None, "status"] == ("succeeded", "blocked")
    assert found[None, "text.labels"] == (["K0"], ["K1"])
    assert found[None, "models.generate.unet"] == ("1" * 64, "9" * 64)
    assert found[0, "action"] == ("release", "block")
    assert found[1, "draws"] == ([DRAWN], [])
    assert found[1, "sha256"][1] == "8" * 64
    assert found[1, "scores.nsfw"] == (0.83, 0.9)
    assert (1, "scores.nude") not in found
    assert (1, "prompt") not in found
    assert compared(own, again)["identical"] is False


def test_a_blocked_prompt_can_be_run_again(api: Client, tenant: Tenant) -> None:
    job = blocked_prompt(tenant)
    again = Job.objects.get(pk=replay(api, job).json()["id"])
    assert again.pictures.get().draws is None
    Job.objects.filter(pk=again.pk).update(
        status="failed", reason="attempts_used_up", ended_at=timezone.now()
    )
    found = what(compared(api, again))
    assert found[None, "status"] == ("blocked", "failed")
    assert found[None, "models.align.rules"] == ("0", None)


def test_a_job_that_repeats_none_cannot_be_compared(own: Client, original: Job) -> None:
    response = own.get(f"{JOBS}/{original.id}/replay")
    assert (response.status_code, response.json()["code"]) == (404, "not_a_replay")


def test_draws_that_are_repeated_are_counted_once(own: Client, original: Job) -> None:
    def drawn() -> Any:
        return own.get(f"{JOBS}/statistics").json()["drawn"]["gender"]

    before = drawn()
    assert before == {"female": 2}
    body = replay(own, original).json()
    assert [p["draws"] for p in body["pictures"]] == [[DRAWN], [DRAWN]]
    assert drawn() == before
    assert own.get(f"{JOBS}/statistics").json()["jobs"]["queued"] == 1
