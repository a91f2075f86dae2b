"""The stream of a job's events, from a web process with four database connections."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import transaction

from accounts.models import Scope
from factories import make_job, make_tenant, move_to, release_and_end
from jobs.api import streams
from jobs.events import jobs_look
from jobs.followers import Follower
from jobs.models import Job
from jobs.places import Place
from jobs.progress import Progress, progress_publish
from jobs.services import job_cancel
from jobs.states import JobStatus
from live_web import Web
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage
from waiting import wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]

Event = dict[str, Any]


def path(job: Job) -> str:
    return f"/api/v1/jobs/{job.id}/events"


def events_of(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a stream, as an EventSource reads them."""
    event: Event = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line and "data" in event:
            yield event | {"data": json.loads(event["data"])}
            event = {}
        elif line and name:
            event[name] = value


def read(client: httpx.Client, job: Job, last: str | None = None, until: int = 99) -> list[Event]:
    """The events until the stream ends, or so many."""
    headers = {} if last is None else {"Last-Event-ID": last}
    found: list[Event] = []
    with client.stream("GET", path(job), headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        for event in events_of(response.iter_lines()):
            found.append(event)
            if len(found) == until:
                break
    return found


def judged(job: Job) -> None:
    """The prompt is being read and was found harmless."""
    with transaction.atomic():
        decision_record(
            job=move_to(job, JobStatus.ALIGNING), stage=DecisionStage.ALIGN, round=1,
            action=DecisionAction.ALLOW, reason="prompt_safe", explanation="harmless",
            scores={"toxicity": 0.1},
        )  # fmt: skip


def test_a_job_from_its_beginning_to_its_end(web: Web, later: Callable[..., Future[Any]]) -> None:
    tenant = make_tenant()
    job = make_job(tenant, n=2)
    with web.client(tenant) as client:
        stream = later(read, client, job)
        time.sleep(0.5)
        judged(job)
        release_and_end(job)
        told = [event for event in stream.result(30) if "id" in event]
        assert [event["id"] for event in told] == [str(number) for number in range(len(told))]
        assert [(event["event"], event["data"].get("status")) for event in told] == [
            ("status", "queued"),
            ("status", "aligning"),
            ("decision", None),
            ("decision", None),
            ("decision", None),
            ("status", "scrutinising"),
            ("end", "succeeded"),
        ]
        decision = told[2]["data"]
        assert (decision["reason"], decision["scores"]) == ("prompt_safe", {"toxicity": 0.1})
        assert [event["data"]["picture"] for event in told[3:5]] == [0, 1]
        assert [p["status"] for p in told[-1]["data"]["pictures"]] == ["released"] * 2
        assert "quarantine/" not in json.dumps(told)
        assert [e for e in read(client, job) if "id" in e] == told, "the same for who comes later"
        assert [event["id"] for event in read(client, job, "4")] == ["5", "6"]
        over = client.get(path(job), headers={"Last-Event-ID": "6"})
    assert (over.status_code, over.content) == (204, b""), "an EventSource comes no more"


def test_a_stream_that_broke_goes_on_after_the_last_event(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    job = make_job(tenant)
    judged(job)
    with web.client(tenant) as client:
        (*_, last) = read(client, job, until=2)
        job_cancel(job_id=job.id)
        rest = read(client, job, last["id"])
    assert [(event["id"], event["event"]) for event in rest] == [("2", "decision"), ("3", "end")]
    assert rest[-1]["data"]["status"] == "canceled"


def test_progress_comes_from_redis_and_has_no_number(
    web: Web, later: Callable[..., Future[Any]]
) -> None:
    tenant = make_tenant()
    job = make_job(tenant, n=2)
    pictures = list(job.pictures.values_list("id", flat=True))
    judged(job)
    with web.client(tenant) as client:
        stream = later(read, client, job)
        for step in range(1, 4):
            time.sleep(1)
            progress_publish(pictures={job.id: pictures, uuid4(): [uuid4()]}, step=step, steps=8)
        job_cancel(job_id=job.id)
        progress = [e for e in stream.result(30) if e["event"] == "progress"]
    assert progress
    assert all("id" not in event for event in progress)
    expected = {"pictures": [str(picture) for picture in pictures], "step": 3, "steps": 8}
    assert progress[-1]["data"] == expected


def test_who_waits_is_told_its_place(web: Web, later: Callable[..., Future[Any]]) -> None:
    tenant = make_tenant()
    first, second = make_job(tenant), make_job(tenant)
    urgent = make_job(tenant, priority=9)
    with web.client(tenant) as client:
        stream = later(read, client, second, until=2)
        before = stream.result(30)[-1]
        job_cancel(job_id=first.id)
        job_cancel(job_id=urgent.id)
        after = read(client, second, "0", until=1)[-1]
    assert (before["event"], after["event"]) == ("queue", "queue")
    assert before["data"]["position"] >= after["data"]["position"] + 2 >= 3
    assert "id" not in before


def test_a_hundred_open_streams(web: Web) -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(100)]
    threads = web.process.num_threads()

    async def follow(client: httpx.AsyncClient, job: Job) -> list[str]:
        async with client.stream("GET", path(job)) as response:
            assert response.status_code == 200
            return [line async for line in response.aiter_lines() if line.startswith("event: ")]

    async def all_of_them() -> list[list[str]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=web.url, headers=key, timeout=120, limits=limits
        ) as client:
            reading = []
            for job in jobs:
                reading.append(asyncio.create_task(follow(client, job)))
                await asyncio.sleep(0.05)
            await asyncio.sleep(3)
            open_ones = [task for task in reading if not task.done()]
            assert len(open_ones) == 100, [task.exception() for task in reading if task.done()]
            asked = time.monotonic()
            answer = await client.get("/api/v1/jobs")
            assert answer.is_success
            assert time.monotonic() - asked < 10
            await asyncio.to_thread(look)
            return await asyncio.gather(*reading)

    def look() -> None:
        from django.db import connection

        try:
            wait_until(lambda: web.process.num_threads() <= threads + 8, "threads to be given back")
            assert web.database_connections() <= 5, "four of the pool, one that listens"
            for job in jobs:
                job_cancel(job_id=job.id)
        finally:
            connection.close()

    key = web.key(tenant)
    for told in asyncio.run(all_of_them()):
        assert (told[0], told[-1]) == ("event: status", "event: end")


def test_another_tenants_job_is_not_there(web: Web) -> None:
    job = make_job(make_tenant())
    with web.client(make_tenant()) as client:
        for where in (path(job), f"/api/v1/jobs/{uuid4()}/events"):
            response = client.get(where)
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
    with web.client(job.tenant, Scope.WEBHOOKS_READ) as client:
        assert client.get(path(job)).status_code == 403
    assert httpx.get(web.url + path(job)).status_code == 401


@pytest.mark.parametrize("last", ["", "x", "-1", "123456"])
def test_a_last_event_that_is_none(web: Web, last: str) -> None:
    tenant = make_tenant()
    with web.client(tenant) as client:
        response = client.get(path(make_job(tenant)), headers={"Last-Event-ID": last})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/header/Last-Event-ID"


def test_a_silent_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.2)
    job = make_job()

    async def first(chunks: int) -> list[bytes]:
        stream = streams._stream(job.id, 0)
        try:
            return [await anext(stream) for _ in range(chunks)]
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    assert asyncio.run(first(3)) == [b"retry: 2000\n\n", b": \n\n", b": \n\n"]


def test_what_is_kept_of_a_follower_is_bounded() -> None:
    job = make_job()
    judged(job)

    async def keep() -> Follower:
        follower = Follower(job.id, -1)
        for step in range(1000):
            follower.tell_progress(Progress(job.id, (job.id,), step, 1000))
            follower.tell_place(Place(step, None))
            follower.tell(jobs_look_once)
        return follower

    jobs_look_once = jobs_look({job.id: -1})[job.id]
    follower = asyncio.run(keep())
    assert [happening.sequence for happening in follower.take()] == [0, 1, 2]
    assert [progress.step for progress in follower.take_progress()] == [999]
    assert follower.take_place() == Place(999, None)
    assert (follower.take(), follower.take_progress(), follower.take_place()) == ([], [], None)
