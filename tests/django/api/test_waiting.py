"""`Prefer: wait` against a web process with four database connections."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import httpx
import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import KeptAnswer
from factories import make_tenant, move_to, release_and_end
from jobs.ending import job_hold
from jobs.models import Job
from jobs.services import job_cancel
from jobs.states import JobStatus
from live_web import Web
from waiting import wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]

JOBS = "/api/v1/jobs"
BODY = {"prompt": "a doctor", "n": 2}


def job_of(tenant: Any) -> Job:
    wait_until(lambda: Job.objects.filter(tenant=tenant).exists(), "the job")
    return Job.objects.get(tenant=tenant)


def wait_for(jobs: QuerySet[Job], count: int) -> None:
    wait_until(lambda: jobs.count() == count, f"{count} jobs")


def test_the_whole_job_as_soon_as_it_ends(web: Web, later: Callable[..., Future[Any]]) -> None:
    tenant = make_tenant()
    with web.client(tenant) as client:
        asked = time.monotonic()
        answer = later(client.post, JOBS, json=BODY, headers={"Prefer": "wait=60"})
        job = job_of(tenant)
        time.sleep(0.5)
        assert not answer.done()
        release_and_end(job)
        response = answer.result(20)
    assert time.monotonic() - asked < 20
    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == "wait=60"
    body = response.json()
    assert response.headers["Location"] == body["urls"]["self"]
    assert (body["id"], body["status"]) == (str(job.id), "succeeded")
    for picture in body["pictures"]:
        assert httpx.get(picture["url"]).content == b"not really a picture"


def test_when_the_time_is_up_the_job_is_answered_as_it_is(web: Web) -> None:
    with web.client(make_tenant()) as client:
        response = client.post(JOBS, json=BODY, headers={"Prefer": "respond-async, wait=1"})
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert response.headers["Preference-Applied"] == "wait=1"
    assert response.headers["Location"] == response.json()["urls"]["self"]


def test_a_job_that_a_person_must_look_at_is_answered_at_once(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    with web.client(tenant) as client:
        answer = later(client.post, JOBS, json=BODY, headers={"Prefer": "wait=60"})
        job = job_of(tenant)
        with transaction.atomic():
            job_hold(
                job=move_to(job, JobStatus.ALIGNING), reason="no_text_verdict", explanation="x"
            )
        response = answer.result(20)
    assert (response.status_code, response.json()["status"]) == (202, "needs_review")


def test_a_repetition_gets_new_links_and_makes_no_second_job(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    headers = {"Prefer": "wait=60", "Idempotency-Key": "once"}
    with web.client(tenant) as client:
        answer = later(client.post, JOBS, json=BODY, headers=headers)
        job = job_of(tenant)
        at_once = later(client.post, JOBS, json=BODY, headers=headers)  # its client lost patience
        release_and_end(job)
        first, second = answer.result(20), at_once.result(20)
        time.sleep(1.1)  # a signature tells its second
        third = client.post(JOBS, json=BODY, headers=headers)
        without = client.post(JOBS, json=BODY, headers={"Idempotency-Key": "once"})
    assert (first.status_code, second.status_code, third.status_code) == (201, 201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert third.headers["Idempotency-Replayed"] == "true"
    assert third.headers["Location"] == first.headers["Location"]
    ((one, *_), (other, *_)) = (answer.json()["pictures"] for answer in (first, third))
    assert one.pop("url") != other["url"]
    assert httpx.get(other.pop("url")).is_success
    assert one.pop("url_expires_at") < other.pop("url_expires_at")
    assert one == other
    assert (without.status_code, without.json()["status"]) == (202, "queued"), "as it was kept"
    assert "X-Amz" not in KeptAnswer.objects.get(tenant=tenant).body
    assert Job.objects.filter(tenant=tenant).count() == 1


def test_sixty_that_wait_hold_neither_threads_nor_connections(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    before = web.process.num_threads()
    jobs = Job.objects.filter(tenant=tenant)
    answers: list[Future[Any]] = []
    with web.client(tenant) as client:
        while len(answers) < 60:
            answers += [
                later(client.post, JOBS, json=BODY, headers={"Prefer": "wait=60"})
                for _ in range(10)
            ]
            wait_for(jobs, len(answers))
        wait_until(lambda: web.process.num_threads() <= before + 8, "the threads to be given back")
        asked = time.monotonic()
        assert client.get(JOBS).is_success
        assert time.monotonic() - asked < 10
        assert web.database_connections() <= 5, "four of the pool, one that listens"
        for job in jobs:
            job_cancel(job_id=job.id)
        ended = [answer.result(30) for answer in answers]
    assert {(answer.status_code, answer.json()["status"]) for answer in ended} == {
        (201, "canceled")
    }
    assert {answer.json()["id"] for answer in ended} == {str(job.id) for job in jobs}


def test_it_goes_on_where_the_connection_that_listens_was_lost(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    with web.client(tenant) as client:
        answer = later(client.post, JOBS, json=BODY, headers={"Prefer": "wait=60"})
        job = job_of(tenant)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'hub'"
            )
            assert cursor.fetchall(), "nobody listens"
        job_cancel(job_id=job.id)
        assert answer.result(20).json()["status"] == "canceled"


@pytest.mark.parametrize("prefer", ["wait=0", "wait=soon", "wait", "return=minimal", "wait=-1"])
def test_preferences_that_are_none_do_not_count(web: Web, prefer: str) -> None:
    with web.client(make_tenant()) as client:
        response = client.post(JOBS, json=BODY, headers={"Prefer": prefer})
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers


def test_nobody_waits_longer_than_a_minute() -> None:
    from jobs.api.preferences import wait_seconds

    assert [wait_seconds(p) for p in (None, "wait=7", 'foo, Wait="8"; x', "wait=3600")] == [
        0, 7, 8, 60,
    ]  # fmt: skip


def test_clients_that_leave_are_waited_for_no_longer(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    wanted: Any = {
        "url": f"{web.url}{JOBS}", "json": BODY, "timeout": 10,
        "headers": {**web.key(tenant), "Prefer": "wait=60"},
    }  # fmt: skip

    def leave() -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(**wanted)

    jobs = Job.objects.filter(tenant=tenant)
    before = web.process.num_fds()
    gone = [later(leave) for _ in range(40)]
    wait_for(jobs, 40)
    assert web.process.num_fds() >= before + 40
    for one in gone:
        one.result(60)
    wait_until(lambda: web.process.num_fds() < before + 20, "what they held to be given back", 20)
    assert set(jobs.values_list("status", flat=True)) == {"queued"}, "nobody canceled them"
