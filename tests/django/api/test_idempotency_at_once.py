"""Repetitions that come at once, or after a crash: with real transactions."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from redis import Redis

from accounts.models import KeptAnswer, Tenant
from config import repetition
from factories import make_tenant
from jobs.api import routes
from jobs.models import Job
from live_web import web_processes

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]


def post(api: Client) -> Any:
    return api.post(
        "/api/v1/jobs", json.dumps({"prompt": "a doctor"}), "application/json",
        headers={"Idempotency-Key": "once"},
    )  # fmt: skip


def jobs_of(tenant: Tenant) -> int:
    return Job.objects.filter(tenant=tenant).count()


def at_once(clients: list[Client]) -> list[Any]:
    answers: list[Any] = []
    start = threading.Barrier(len(clients))

    def run(client: Client) -> None:
        start.wait()
        try:
            answers.append(post(client))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_twenty_at_once_are_one_job(client_of: Callable[..., Client]) -> None:
    tenant = make_tenant()
    answers = at_once([client_of(tenant) for _ in range(20)])
    assert jobs_of(tenant) == 1
    accepted = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code != 202]
    assert len({answer.content for answer in accepted}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in accepted) == 1
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (
            409, "idempotency_key_in_flight",
        )  # fmt: skip
        assert answer["Retry-After"] == "1"


def test_two_web_processes_without_a_cache_are_one() -> None:
    """Nothing of it is in the memory of a process or in Redis."""
    tenant = make_tenant()
    with web_processes() as start, web_processes() as start_another:
        webs = [start(), start_another()]
        headers = webs[0].key(tenant) | {"Idempotency-Key": "once"}

        def submit(number: int) -> httpx.Response:
            url = f"{webs[number % 2].url}/api/v1/jobs"
            return httpx.post(url, json={"prompt": "a doctor"}, headers=headers, timeout=90)

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(submit, range(10)))
        Redis.from_url(settings.ENVIRONMENT.redis_url).flushall()
        later = [submit(number) for number in range(2)]
    assert jobs_of(tenant) == 1
    assert {answer.status_code for answer in answers} <= {202, 409}
    taken = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.content for answer in (*taken, *later)}) == 1
    assert [answer.headers["Idempotency-Replayed"] for answer in later] == ["true", "true"]


def test_a_slow_first_request_is_not_taken_for_dead(
    client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    api, entered, go_on = client_of(tenant), threading.Event(), threading.Event()
    submit = routes.job_submit

    def slowly(**arguments: Any) -> Job:
        entered.set()
        assert go_on.wait(30)
        return submit(**arguments)

    monkeypatch.setattr(routes, "job_submit", slowly)
    first = threading.Thread(target=at_once, args=[[api]])
    first.start()
    assert entered.wait(30)
    assert post(client_of(tenant)).status_code == 409
    go_on.set()
    first.join()
    assert post(client_of(tenant))["Idempotency-Replayed"] == "true"
    assert jobs_of(tenant) == 1


def test_a_crash_after_the_commit_loses_only_the_answer(
    client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    api = client_of(tenant)

    def crash(_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(repetition, "_response", crash)
        with pytest.raises(MemoryError):
            post(api)
    assert jobs_of(tenant) == 1
    assert post(api)["Idempotency-Replayed"] == "true"
    assert jobs_of(tenant) == 1


def test_a_crash_before_the_commit_leaves_neither_job_nor_key(
    client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    api = client_of(tenant)

    def crash(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(KeptAnswer.objects, "bulk_create", crash)
        with pytest.raises(MemoryError):
            post(api)
    assert jobs_of(tenant) == 0
    assert "Idempotency-Replayed" not in post(api)
    assert jobs_of(tenant) == 1
