"""The API of jobs: what is accepted, what is refused and how, and who sees what."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create, api_key_revoke
from ethical_lens.sources import PipelineSource
from factories import make_aligned_job, make_job, make_tenant
from jobs.models import Job
from jobs.storage import quarantine_put, release_copy
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"
KEY_PATHS = ("", "/{key_id}", "/{key_id}/rotate", "/{key_id}/revoke")
ENDPOINT_PATHS = [
    "", "/{endpoint_id}", "/{endpoint_id}/rotate", "/{endpoint_id}/test", "/{endpoint_id}/replay",
    "/{endpoint_id}/deliveries", "/{endpoint_id}/deliveries/{delivery_id}",
    "/{endpoint_id}/deliveries/{delivery_id}/replay",
]  # fmt: skip


def post(api: Client, body: Any, path: str = JOBS) -> Any:
    return api.post(path, body if isinstance(body, str) else json.dumps(body), "application/json")


def pointers(response: Any) -> set[str]:
    return {error["pointer"] for error in response.json()["errors"]}


def test_a_job_is_accepted_with_its_addresses(api: Client, tenant: Tenant) -> None:
    response = post(api, {"prompt": "a doctor", "n": 2, "seed": 9, "width": 64, "height": 128})
    assert response.status_code == 202
    body = response.json()
    job = Job.objects.get(pk=body["id"])
    assert job.tenant == tenant
    assert job.policy_version == tenant.policy_version
    assert response["Location"] == body["urls"]["self"]
    assert response["Location"].endswith(f"/api/v1/jobs/{job.id}")
    assert body["status"] == "queued"
    assert body["model"] == "mini"
    assert [picture["seed"] for picture in body["pictures"]] == [9, 10]
    assert UUID(body["id"]).version == 7
    assert list(job.stages.values_list("stage", flat=True)) == [
        "align", "generate", "scrutinise", "release",
    ]  # fmt: skip
    assert api.get(f"{JOBS}/{job.id}").json() == body


def test_every_bad_field_is_named_in_one_answer(api: Client) -> None:
    response = post(
        api,
        {
            "prompt": "",
            "negative_prompt": "x" * 2001,
            "model": "nope",
            "n": 11,
            "width": 65,
            "height": 2048,
            "steps": 0,
            "guidance_scale": 31,
            "seed": 2**32,
            "priority": 10,
            "colour": "red",
        },
    )
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["code"], body["status"]) == ("invalid_request", 422)
    assert body["request_id"] == response["X-Request-Id"]
    assert pointers(response) == {
        "/prompt", "/negative_prompt", "/model", "/n", "/width", "/height", "/steps",
        "/guidance_scale", "/seed", "/priority", "/colour",
    }  # fmt: skip
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "value", ["bell \u0007", "line\nbreak", "nul \u0000", " ", "\u00a0", "x" * 2001, 7, None, ["a"]]
)
def test_prompts_that_are_refused(api: Client, value: Any) -> None:
    response = post(api, {"prompt": value})
    assert response.status_code == 422
    assert pointers(response) == {"/prompt"}


def test_an_unpaired_surrogate_is_refused(api: Client) -> None:
    response = post(api, '{"prompt": "half \\ud83d"}')
    assert response.status_code == 422
    assert pointers(response) == {"/prompt"}


@pytest.mark.parametrize("prompt", ["x", "x" * 2000, "größer 🦊 naïve", 'quote " and \\ slash'])
def test_prompts_that_are_kept_as_they_are(api: Client, prompt: str) -> None:
    response = post(api, {"prompt": prompt})
    assert response.status_code == 202
    assert Job.objects.get(pk=response.json()["id"]).prompt == prompt


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", "2"), ("n", True), ("n", 1.5), ("seed", -1), ("guidance_scale", "7"), ("n", None)],
)
def test_numbers_are_numbers(api: Client, field: str, value: Any) -> None:
    response = post(api, {"prompt": "a doctor", field: value})
    assert response.status_code == 422
    assert pointers(response) == {f"/{field}"}


def as_painted(response: Any) -> tuple[str, int, int, int, float]:
    job = Job.objects.get(pk=response.json()["id"])
    return job.model, job.width, job.height, job.steps, job.guidance_scale


def test_what_a_job_does_not_say_follows_from_its_model(api: Client, settings: Any) -> None:
    settings.DIFFUSION_MODELS = {
        "mini": PipelineSource(source="x", width=96, height=96, steps=20, guidance_scale=4.0),
        "sd-turbo": PipelineSource(source="x", steps=1, guidance_scale=0.0),
    }
    said = {"prompt": "a doctor", "model": "sd-turbo"}

    assert as_painted(post(api, {"prompt": "a doctor"})) == ("mini", 96, 96, 20, 4.0)
    assert as_painted(post(api, said)) == ("sd-turbo", 512, 512, 1, 0.0)
    said |= {"width": 64, "height": None, "guidance_scale": 0}
    assert as_painted(post(api, said)) == ("sd-turbo", 64, 512, 1, 0.0)


def test_guidance_must_be_finite(api: Client) -> None:
    assert post(api, '{"prompt": "a doctor", "guidance_scale": NaN}').status_code == 422


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null"])
def test_bodies_that_are_no_request(api: Client, body: str) -> None:
    response = post(api, body)
    assert response.status_code in {400, 422}
    assert response["Content-Type"] == "application/problem+json"


def test_a_body_over_64_kib_is_refused(api: Client) -> None:
    response = post(api, {"prompt": "a doctor", "negative_prompt": "x" * 70_000})
    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic abc"}])
def test_without_a_key_nothing_is_answered(header: dict[str, str]) -> None:
    response = Client(headers=header).get(JOBS)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] == "key_missing"


def test_keys_that_are_not_valid(tenant: Tenant) -> None:
    row, key = api_key_create(tenant=tenant, name="k", scopes=tuple(Scope))
    wrong = [key[:-1], key + "x", "el__", "el_" + row.prefix + "_guess", "nonsense", "ä_ö_ü"]
    for attempt in wrong:
        response = Client().get(JOBS, headers={"Authorization": f"Bearer {attempt}"})
        assert (response.status_code, response.json()["code"]) == (401, "invalid_key"), attempt
    good = Client(headers={"Authorization": f"Bearer {key}"})
    assert good.get(JOBS).status_code == 200
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert key not in json.dumps(list(APIKey.objects.values()), default=str)
    api_key_revoke(key=row)
    assert good.get(JOBS).status_code == 401


def test_an_expired_key_and_an_inactive_tenant(tenant: Tenant) -> None:
    _, key = api_key_create(
        tenant=tenant, name="k", scopes=tuple(Scope),
        expires_at=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    assert Client(headers={"Authorization": f"Bearer {key}"}).get(JOBS).status_code == 401
    _, key = api_key_create(tenant=tenant, name="k", scopes=tuple(Scope))
    tenant.is_active = False
    tenant.save()
    assert Client(headers={"Authorization": f"Bearer {key}"}).get(JOBS).status_code == 401


def test_a_reading_key_may_not_write(client_of: Callable[..., Client], tenant: Tenant) -> None:
    reader = client_of(tenant, Scope.JOBS_READ)
    assert reader.get(JOBS).status_code == 200
    response = post(reader, {"prompt": "a doctor"})
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_another_tenants_job_is_not_there(api: Client) -> None:
    other = make_job(make_tenant())
    for path in ("", "/pictures", "/decisions"):
        response = api.get(f"{JOBS}/{other.id}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert post(api, "", f"{JOBS}/{other.id}/cancel").status_code == 404
    other.refresh_from_db()
    assert other.status == "queued"
    assert api.get(JOBS).json()["results"] == []


def test_pages_go_forth_and_back(api: Client, tenant: Tenant) -> None:
    ids = [str(make_job(tenant).id) for _ in range(5)]
    newest_first = ids[::-1]
    page = api.get(f"{JOBS}?page_size=2").json()
    assert [job["id"] for job in page["results"]] == newest_first[:2]
    assert page["previous"] is None
    second = api.get(page["next"]).json()
    assert [job["id"] for job in second["results"]] == newest_first[2:4]
    back = api.get(second["previous"]).json()
    assert [job["id"] for job in back["results"]] == newest_first[:2]


@pytest.mark.parametrize("cursor", ["nonsense", "cD1ub25zZW5zZQ==", "%00"])
def test_a_bad_cursor_is_named(api: Client, cursor: str) -> None:
    response = api.get(f"{JOBS}?cursor={cursor}")
    assert response.status_code == 422
    assert pointers(response) == {"/query/cursor"}


def test_filters(api: Client, tenant: Tenant) -> None:
    queued, canceled = make_job(tenant), make_job(tenant)
    post(api, "", f"{JOBS}/{canceled.id}/cancel")

    def found(query: str) -> list[str]:
        return [job["id"] for job in api.get(f"{JOBS}?{query}").json()["results"]]

    assert found("status=canceled") == [str(canceled.id)]
    assert found("status=canceled&status=queued") == [str(canceled.id), str(queued.id)]
    assert found("model=other") == []
    assert found("created_after=2999-01-01T00:00:00Z") == []
    at = canceled.created_at.isoformat().replace("+00:00", "Z")
    assert found(f"created_after={at}") == [str(canceled.id)]
    assert found(f"created_before={at}") == [str(queued.id)]
    for wrong in ("status=unheard", "model=%00", "created_after=0001-01-01T00:00:00%2B23:59"):
        assert api.get(f"{JOBS}?{wrong}").status_code == 422, wrong


def test_cancel_answers_with_the_job_as_it_is_and_repeats(api: Client, tenant: Tenant) -> None:
    job = make_job(tenant)
    for _ in range(2):
        response = post(api, "", f"{JOBS}/{job.id}/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "canceled")
    assert job.events.count() == 1


def test_only_released_pictures_have_a_link(api: Client, tenant: Tenant) -> None:
    job = make_job(tenant, n=2)
    first, second = job.pictures.all()
    for picture in (first, second):
        stored = quarantine_put(
            job_id=job.id, picture_id=picture.id, round=1, png=b"not really a picture"
        )
        picture.current = picture.versions.create(
            round=1, kind="painted", prompt="p", key=stored.key, sha256=stored.sha256,
            size=stored.size,
        )  # fmt: skip
        picture.status = "quarantined"
        picture.save()
    first.cleared_by = decision_record(
        job=job, picture=first, stage=DecisionStage.SCRUTINISE, round=1,
        action=DecisionAction.RELEASE, reason="no_finding", explanation="nothing found",
        object_digest=first.current.sha256,
    )  # fmt: skip
    first.released_key = release_copy(
        source=first.current.key, job_id=job.id, picture_id=first.id, sha256=first.current.sha256
    )
    first.released_at, first.status = timezone.now(), "released"
    first.save()
    out, kept = api.get(f"{JOBS}/{job.id}/pictures").json()
    assert "/released/" in out["url"]
    assert out["url_expires_at"]
    assert kept["url"] is None
    assert "quarantine/" not in json.dumps([out, kept])


def test_a_job_says_what_was_changed_in_its_prompt_and_why(api: Client, tenant: Tenant) -> None:
    job = make_aligned_job("a bloody doctor in an office", tenant)
    seen = api.get(f"{JOBS}/{job.id}").json()
    (edit,) = seen["text"]["edits"]
    assert edit["before"] == "bloody"
    assert edit["factors"] == list(seen["text"]["factor_scores"]) == ["P6"]
    assert edit["reason"] == "takes out shocking content"
    (picture,) = seen["pictures"]
    draw = picture["draws"][0]
    drawn = f"drawn: {draw['age']}, {draw['race']}, {draw['gender']}"
    assert drawn in {edit["reason"] for edit in picture["edits"]}
    assert api.get(f"{JOBS}/{job.id}/pictures").json()[0]["edits"] == picture["edits"]


def test_decisions_tell_stage_scores_and_policy(api: Client, tenant: Tenant) -> None:
    job = make_job(tenant)
    decision_record(
        job=job, stage=DecisionStage.ALIGN, round=1, action=DecisionAction.REWRITE,
        reason="prompt_rewritten", explanation="touches violence", labels=["K1"],
        factors=["P3"], scores={"toxicity": 0.4}, model_digests={"rules": "1"},
    )  # fmt: skip
    (decision,) = api.get(f"{JOBS}/{job.id}/decisions").json()
    assert decision["stage"] == "align"
    assert decision["labels"] == ["K1"]
    assert decision["scores"] == {"toxicity": 0.4}
    assert decision["policy"] == str(tenant.policy_version)
    assert decision["actor"] == "system"


def test_the_schema_is_openapi_3_1_and_the_docs_page_needs_no_other_host(api: Client) -> None:
    schema = api.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/api/v1/jobs", "/api/v1/jobs/{job_id}", "/api/v1/jobs/{job_id}/cancel",
        "/api/v1/jobs/{job_id}/pictures", "/api/v1/jobs/{job_id}/decisions",
        "/api/v1/jobs/{job_id}/events", "/api/v1/jobs/batch", "/api/v1/jobs/statistics",
        "/api/v1/jobs/{job_id}/appeal", "/api/v1/jobs/{job_id}/appeals",
        "/api/v1/jobs/{job_id}/pictures/{index}/reports", "/api/v1/jobs/{job_id}/replay",
        "/api/v1/moderations", "/api/v1/moderations/{moderation_id}",
        "/api/v1/moderations/{moderation_id}/cancel",
        *(f"/api/v1/api-keys{path}" for path in KEY_PATHS),
        *(f"/api/v1/webhook-endpoints{path}" for path in ENDPOINT_PATHS),
    }  # fmt: skip
    page = api.get("/api/v1/docs").content.decode()
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page.replace("https://django-ninja.dev", "")


def test_an_unknown_address_is_a_problem_too(api: Client) -> None:
    response = api.get("/api/v1/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "no_such_route")
