"""Quotas of tenants and keys, and the bound of the queue: what is too much is refused, clearly."""

import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts import rates
from accounts.counting import Counter
from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from config.identifiers import uuid7, uuid7_first
from devstack.stack import Stack
from factories import make_job, make_tenant
from jobs import quotas
from jobs.models import Job
from jobs.services import job_cancel

pytestmark = pytest.mark.services

JOBS = "/api/v1/jobs"
Change = Callable[..., None]


@pytest.fixture
def environment(settings: Settings) -> Change:
    def change(**changes: object) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)

    return change


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    clock = SimpleNamespace(time=lambda: seconds, monotonic=time.monotonic)
    monkeypatch.setattr(rates, "time", clock)


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.services.QUEUE", quotas.Queue())
    monkeypatch.setattr(rates, "_COUNTER", Counter())
    # The minute does not end in the middle of a test.
    at(monkeypatch, 60_000_030.0)


def client(tenant: Tenant, **own: int) -> Client:
    _, key = api_key_create(tenant=tenant, name="k", scopes=tuple(Scope), **own)
    return Client(headers={"Authorization": f"Bearer {key}"})


def post(api: Client, n: int = 1, **headers: str) -> Any:
    body = json.dumps({"prompt": "a doctor", "n": n})
    return api.post(JOBS, body, "application/json", headers=headers)


def refused(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


@pytest.mark.django_db
def test_requests_per_minute_of_key_and_tenant(tenant: Tenant) -> None:
    tenant.requests_per_minute = 5
    tenant.save()
    narrow, wide = client(tenant, requests_per_minute=2), client(tenant)
    first = narrow.get(JOBS)
    assert first["RateLimit-Policy"] == '"key";q=2;w=60, "tenant";q=5;w=60'
    assert first["RateLimit"] == '"key";r=1;t=30, "tenant";r=4;t=30'
    missing = narrow.get(f"{JOBS}/{uuid7()}")
    assert missing.status_code == 404
    assert missing["RateLimit"] == '"key";r=0;t=30, "tenant";r=3;t=30'
    for _ in range(3):
        over = narrow.get(JOBS)
        assert refused(over) == (429, "too_many_requests")
        assert over["Retry-After"] == "30"
        assert over["RateLimit"] == '"key";r=0;t=30'
    left = [wide.get(JOBS)["RateLimit"] for _ in range(3)]
    assert left == [f'"tenant";r={r};t=30' for r in (2, 1, 0)], "refusals cost the tenant nothing"
    assert refused(wide.get(JOBS)) == (429, "too_many_requests")
    assert client(make_tenant()).get(JOBS).status_code == 200, "other tenants are not concerned"


@pytest.mark.django_db
def test_another_minute_is_counted_anew(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    api = client(tenant, requests_per_minute=1)
    api.get(JOBS)
    assert refused(api.get(JOBS)) == (429, "too_many_requests")
    at(monkeypatch, 60_000_061.0)
    assert api.get(JOBS).status_code == 200


@pytest.mark.django_db
def test_refused_requests_and_errors_tell_what_is_left_and_strangers_learn_nothing(
    tenant: Tenant,
) -> None:
    api = client(tenant)
    assert "RateLimit" in post(api, n=99)
    assert "RateLimit" not in Client().get(JOBS)


@pytest.mark.django_db
def test_with_redis_away_requests_are_let_in(tenant: Tenant, stack: Stack) -> None:
    api = client(tenant, requests_per_minute=1)
    stack.stop_redis()
    try:
        for _ in range(3):
            response = api.get(JOBS)
            assert response.status_code == 200
            assert "RateLimit" not in response
    finally:
        stack.start_redis()


@pytest.mark.django_db
def test_jobs_in_flight_of_tenant_and_key(tenant: Tenant) -> None:
    tenant.jobs_in_flight = 3
    tenant.save()
    narrow, wide = client(tenant, jobs_in_flight=1), client(tenant)
    job = post(narrow).json()
    over = post(narrow)
    assert refused(over) == (429, "too_many_jobs_in_flight")
    assert int(over["Retry-After"]) > 0
    assert [post(wide).status_code for _ in range(3)] == [202, 202, 429]
    assert Job.objects.filter(tenant=tenant).count() == 3, "what is refused leaves nothing"
    job_cancel(job_id=job["id"])
    assert post(narrow).status_code == 202


@pytest.mark.django_db
def test_a_job_that_waits_for_a_person_is_not_in_flight(tenant: Tenant) -> None:
    api = client(tenant, jobs_in_flight=1)
    job = post(api).json()
    Job.objects.filter(pk=job["id"]).update(status="needs_review")
    assert post(api).status_code == 202


@pytest.mark.django_db
def test_pictures_per_day_of_tenant_and_key(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.pictures_per_day = 10
    tenant.save()
    narrow, wide = client(tenant, pictures_per_day=4), client(tenant)
    job = post(narrow, n=3).json()
    job_cancel(job_id=job["id"])
    over = post(narrow, n=2)
    assert refused(over) == (429, "too_many_pictures_today")
    assert over.json()["errors"][0]["pointer"] == "/n"
    assert 0 < int(over["Retry-After"]) <= 86_400
    assert post(narrow, n=1).status_code == 202
    assert post(wide, n=7).status_code == 429
    assert post(wide, n=6).status_code == 202
    assert post(narrow, n=4).status_code == 429
    after_all = uuid7()
    monkeypatch.setattr(quotas, "uuid7_first", lambda _midnight: after_all)
    assert post(narrow, n=4).status_code == 202, "what was before midnight does not count"


@pytest.mark.django_db
def test_the_environment_bounds_tenants_without_quotas(tenant: Tenant, environment: Change) -> None:
    environment(quota_jobs_in_flight=1, quota_requests_per_minute=3)
    api = client(tenant)
    assert [post(api).status_code for _ in range(2)] == [202, 429]
    assert post(api).json()["code"] == "too_many_jobs_in_flight"
    assert post(api).json()["code"] == "too_many_requests"


@pytest.mark.django_db
def test_a_full_queue_takes_no_more(
    tenant: Tenant, environment: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job()
    environment(queue_limit=1)
    api = client(tenant)
    over = post(api)
    assert refused(over) == (503, "queue_full")
    assert int(over["Retry-After"]) > 0
    environment(queue_limit=1_000_000)
    assert post(api).status_code == 202


@pytest.mark.django_db
def test_a_repetition_is_not_counted_again(tenant: Tenant) -> None:
    api = client(tenant, jobs_in_flight=1)
    first = post(api, **{"Idempotency-Key": "a"})
    again = post(api, **{"Idempotency-Key": "a"})
    assert (again.status_code, again.content) == (202, first.content)
    refusal = post(api, **{"Idempotency-Key": "b"})
    assert refusal.status_code == 429
    job_cancel(job_id=first.json()["id"])
    assert post(api, **{"Idempotency-Key": "b"}).status_code == 202, "a refusal is not kept"


@pytest.mark.django_db
def test_what_a_submission_costs(tenant: Tenant) -> None:
    """Key, policy version in force, job with pictures and stages, first stage and outbox, lock and
    count of the quota; a savepoint here is the transaction there."""
    api = client(tenant)
    post(api)

    def statements(**headers: str) -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            assert post(api, **headers).status_code == 202
        return [query["sql"] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]]

    plain = statements()
    assert len(plain) == 6, plain
    assert len(statements(**{"Idempotency-Key": "a"})) == 6 + 3
    assert len(statements(**{"Idempotency-Key": "a"})) == 1 + 2, "key, lock, answer"


@pytest.mark.django_db
def test_counts_go_by_indexes(tenant: Tenant) -> None:
    make_job(tenant)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        parameters = {
            "tenant": tenant.id, "key": tenant.id, "of_tenant": 5, "of_key": 5,
            "midnight": uuid7_first(timezone.now()),
        }  # fmt: skip
        plans = {}
        for sql in (quotas._IN_FLIGHT, quotas._TODAY):
            cursor.execute("EXPLAIN " + sql, parameters)
            plans[sql] = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in "".join(plans.values())
    assert "job_in_flight_of_key" in plans[quotas._IN_FLIGHT]
    assert "job_of_tenant" in plans[quotas._TODAY]


@pytest.mark.usefixtures("committed")
def test_of_twenty_at_once_no_more_are_taken_than_the_quota_lets() -> None:
    tenant = make_tenant()
    api = client(tenant, jobs_in_flight=5)
    statuses: list[int] = []
    start = threading.Barrier(20)

    def run() -> None:
        start.wait()
        try:
            statuses.append(post(api).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(202), statuses.count(429)) == (5, 15)
    assert Job.objects.filter(tenant=tenant).count() == 5
