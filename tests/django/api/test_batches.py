"""Many jobs in one request: each is judged by itself."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Tenant
from jobs.models import Job

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BATCH = "/api/v1/jobs/batch"
GOOD = {"prompt": "a doctor"}


def post(api: Client, jobs: Any, **headers: str) -> Any:
    return api.post(BATCH, json.dumps({"jobs": jobs}), "application/json", headers=headers)


def jobs_of(tenant: Tenant) -> int:
    return Job.objects.filter(tenant=tenant).count()


def test_one_that_is_refused_spoils_none_of_the_others(api: Client, tenant: Tenant) -> None:
    response = post(api, [GOOD, {"prompt": "", "n": 11}, {"prompt": "a nurse", "n": 3}, {}])
    assert response.status_code == 200
    body = response.json()
    assert body["accepted"] == jobs_of(tenant) == 2
    assert [(item["index"], item["status"]) for item in body["results"]] == [
        (0, 202), (1, 422), (2, 202), (3, 422),
    ]  # fmt: skip
    first, wrong, third, empty = body["results"]
    assert first["job"] == api.get(f"/api/v1/jobs/{first['job']['id']}").json()
    assert (third["job"]["prompt"], len(third["job"]["pictures"])) == ("a nurse", 3)
    assert wrong["job"] is None
    assert wrong["problem"]["code"] == "invalid_request"
    assert {error["pointer"] for error in wrong["problem"]["errors"]} == {"/prompt", "/n"}
    assert {error["pointer"] for error in empty["problem"]["errors"]} == {"/prompt"}


def test_quotas_count_each(api: Client, tenant: Tenant) -> None:
    tenant.jobs_in_flight = 2
    tenant.save()
    body = post(api, [GOOD] * 4).json()
    assert [item["status"] for item in body["results"]] == [202, 202, 429, 429]
    assert body["results"][2]["problem"]["code"] == "too_many_jobs_in_flight"
    assert [item["retry_after"] is not None for item in body["results"]] == [False] * 2 + [True] * 2
    assert body["results"][3]["retry_after"] > 0
    assert body["accepted"] == jobs_of(tenant) == 2


def test_a_repetition_makes_no_second_batch(api: Client, tenant: Tenant) -> None:
    jobs = [GOOD, {"prompt": ""}]
    first, again = (post(api, jobs, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert jobs_of(tenant) == 1
    other = post(api, [GOOD], **{"Idempotency-Key": "once"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_deadline_is_for_all(api: Client, tenant: Tenant) -> None:
    post(api, [GOOD] * 2, **{"Cancel-After": "90s"})
    assert Job.objects.filter(tenant=tenant, cancel_at__isnull=False).count() == 2


@pytest.mark.parametrize("jobs", [[], [GOOD] * 101, "x", ["x"], None])
def test_what_is_no_batch_is_refused_as_a_whole(api: Client, tenant: Tenant, jobs: Any) -> None:
    response = post(api, jobs)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["errors"][0]["pointer"].startswith("/jobs")
    assert jobs_of(tenant) == 0


def test_a_hundred_long_prompts_fit_and_more_is_too_large(
    api: Client, tenant: Tenant, settings: Settings
) -> None:
    long = {"prompt": "a doctor " * 220, "negative_prompt": "fog " * 490}
    body = post(api, [long] * 100).json()
    assert body["accepted"] == jobs_of(tenant) == 100
    response = post(api, [{"prompt": "x" * 6000}] * 100)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    single = api.post(
        "/api/v1/jobs", json.dumps({"prompt": "x" * 70_000}), "application/json"
    )  # fmt: skip
    assert (single.status_code, single.json()["code"]) == (413, "body_too_large")
