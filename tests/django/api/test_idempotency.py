"""The same request twice is one job, whatever happens in between."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.idempotency import kept_answers_forget
from accounts.models import KeptAnswer, Tenant
from factories import make_tenant
from jobs.models import Job

pytestmark = [pytest.mark.services, pytest.mark.django_db]

JOBS = "/api/v1/jobs"
BODY = {"prompt": "a doctor", "n": 2}


def post(api: Client, body: Any = BODY, key: str = "once") -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return api.post(JOBS, text, "application/json", headers={"Idempotency-Key": key})


def jobs_of(tenant: Tenant) -> int:
    return Job.objects.filter(tenant=tenant).count()


def test_a_repetition_gets_the_first_answer(api: Client, tenant: Tenant) -> None:
    first = post(api)
    assert first.status_code == 202
    job = Job.objects.get(tenant=tenant)
    assert "Idempotency-Replayed" not in first
    assert first.json() == api.get(f"{JOBS}/{job.id}").json()
    api.post(f"{JOBS}/{job.id}/cancel")
    again = post(api)
    assert (again.status_code, again.content) == (202, first.content)
    assert again["Location"] == first["Location"]
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert again["X-Request-Id"] != first["X-Request-Id"]
    assert jobs_of(tenant) == 1


def test_spaces_and_order_do_not_count_and_quotes_are_none_of_the_key(
    api: Client, tenant: Tenant
) -> None:
    post(api)
    again = post(api, '{ "n": 2,\n "prompt": "a doctor" }', '"once"')
    assert again["Idempotency-Replayed"] == "true"
    assert jobs_of(tenant) == 1


def test_another_body_is_refused(api: Client, tenant: Tenant) -> None:
    post(api)
    response = post(api, BODY | {"n": 3})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert response.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert jobs_of(tenant) == 1
    assert post(api, BODY | {"n": 3}, "another").status_code == 202


def test_another_deadline_is_another_request(api: Client, tenant: Tenant) -> None:
    def sent(cancel_after: str) -> Any:
        headers = {"Idempotency-Key": "once", "Cancel-After": cancel_after}
        return api.post(JOBS, json.dumps(BODY), "application/json", headers=headers)

    assert (sent("90s").status_code, sent("90s").status_code) == (202, 202)
    other = sent("5m")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert jobs_of(tenant) == 1


def test_without_a_key_every_request_is_a_job(api: Client, tenant: Tenant) -> None:
    for _ in range(2):
        api.post(JOBS, json.dumps(BODY), "application/json")
    assert jobs_of(tenant) == 2
    assert not KeptAnswer.objects.filter(tenant=tenant).exists()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with space", "späť", '"half', '""'])
def test_keys_that_are_none(api: Client, key: str, tenant: Tenant) -> None:
    response = post(api, key=key)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert jobs_of(tenant) == 0


def test_a_refused_request_keeps_nothing(api: Client, tenant: Tenant) -> None:
    assert post(api, {"prompt": ""}).status_code == 422
    assert post(api).status_code == 202
    assert jobs_of(tenant) == 1


def test_another_tenants_key_is_another_key(
    api: Client, client_of: Callable[..., Client], tenant: Tenant
) -> None:
    first, stranger = post(api), make_tenant()
    theirs = post(client_of(stranger))
    assert theirs.status_code == 202
    assert "Idempotency-Replayed" not in theirs
    assert theirs.json()["id"] != first.json()["id"]
    assert (jobs_of(tenant), jobs_of(stranger)) == (1, 1)
    assert post(client_of(stranger), BODY | {"n": 1}).status_code == 422
    assert post(client_of(tenant))["Location"] == first["Location"], "any key of the tenant"


def test_after_its_time_a_key_is_free_again(api: Client, tenant: Tenant) -> None:
    post(api)
    kept = KeptAnswer.objects.filter(tenant=tenant)
    kept.update(created_at=timezone.now() - timedelta(hours=24))
    assert "Idempotency-Replayed" not in post(api, BODY | {"n": 1})
    assert jobs_of(tenant) == 2
    kept_answers_forget()
    assert kept.count() == 1
    kept.update(created_at=timezone.now() - timedelta(hours=24))
    assert kept_answers_forget() >= 1
    assert not kept.exists()


def test_no_kept_answer_has_a_link_that_ends(api: Client, tenant: Tenant) -> None:
    post(api)
    assert "X-Amz" not in KeptAnswer.objects.get(tenant=tenant).body
