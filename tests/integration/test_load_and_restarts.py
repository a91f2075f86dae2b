"""Fifty clients submit while workers die and Redis restarts: every job ends once and is told.

Through the web process, with null models. `LOAD_JOBS` says how many jobs, by default 2,000.
"""

import os
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from django.db.models import Count

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from devstack.application import ROOT, WORKERS, Application
from devstack.ports import free_port
from devstack.receiver import Receiver
from devstack.stack import Stack
from factories import make_tenant
from jobs.models import Job, StageRun, UsageRecord
from jobs.states import TERMINAL
from waiting import wait_until
from webhooks.endpoints import endpoint_create
from webhooks.models import Event

JOBS = int(os.environ.get("LOAD_JOBS", "2000"))
CLIENTS = 50
PATIENCE = 600.0 + JOBS
PAUSE = 5.0
"""Seconds from one mishap to the next, and more where a worker takes longer to come back."""

pytestmark = [
    pytest.mark.load,
    pytest.mark.usefixtures("committed"),
    pytest.mark.timeout(4 * PATIENCE),
]

NULL = [name for name in WORKERS if name != "worker-webhooks"]


def test_every_job_ends_and_is_told_once(
    make_application: Callable[..., Application],
    stack: Stack,
) -> None:
    # Kills are many here, and none of them is the job's fault.
    application, web = make_application(STAGE_ATTEMPTS="10", SILENT_SECONDS="30"), free_port()
    start(application, web)
    tenant, port = make_tenant(), free_port()
    endpoint = endpoint_create(tenant_id=tenant.id, url=f"http://127.0.0.1:{port}/webhooks")
    with Receiver(endpoint.secret, port=port, keep=10 * JOBS) as receiver:
        with mishaps(application, web, stack) as told:
            submitted = submit_all(f"http://127.0.0.1:{web}", tenant)
            wait_until(lambda: ended(tenant) >= JOBS / 2, "half of the jobs to end", PATIENCE)
        assert {"redis", *WORKERS} <= set(told), told
        wait_until(lambda: ended(tenant) == JOBS, "all jobs to end", PATIENCE)
        wait_until(lambda: len(ids(receiver)) == JOBS, "all webhooks", PATIENCE)

    assert len(set(submitted)) == JOBS, "no two submissions made the same job"
    jobs = Job.objects.filter(tenant=tenant)
    assert set(map(str, jobs.values_list("id", flat=True))) == set(submitted), "none twice"
    assert set(jobs.values_list("status", flat=True)) == {"succeeded"}
    assert UsageRecord.objects.filter(tenant=tenant).count() == JOBS
    assert (
        not Event.objects.filter(tenant=tenant).values("job").annotate(n=Count("id")).exclude(n=1)
    )
    assert not StageRun.objects.filter(
        job__tenant=tenant, state__in=["waiting", "ready", "running"]
    ).exists()
    verified = [one for one in receiver.received() if one.verified]
    assert len(verified) == len(receiver.received())
    assert {one.payload["data"]["id"] for one in verified} == set(submitted)
    told_of = {(one.id, one.payload["data"]["id"]) for one in verified}
    assert len(told_of) == len({id for id, _ in told_of}) == JOBS, "one webhook-id for each job"


def start(application: Application, web: int) -> None:
    """The web process on this port, dispatcher, beat, and workers whose models do nothing."""
    application.start_web(web)
    application.start_dispatcher()
    application.start_beat()
    for name in NULL:
        application.supervisor.start(
            name,
            [sys.executable, "-m", "benchmarks.overhead.null_worker", "worker", "-l", "WARNING",
             "-n", f"{name}@%h", "--without-gossip", "--without-mingle", *WORKERS[name]],
            env=application.environment, log=application.logs / f"{name}.log", cwd=ROOT,
        )  # fmt: skip
    application.start_worker("worker-webhooks")
    application.wait_until_ready(web, timeout=PATIENCE)


def submit_all(url: str, tenant: Tenant) -> list[str]:
    """Submit all jobs from so many clients at once; each repeats until it is answered."""
    _, key = api_key_create(tenant=tenant, name="load", scopes=tuple(Scope))
    shares = [JOBS // CLIENTS + (number < JOBS % CLIENTS) for number in range(CLIENTS)]

    def submit_some(share: int) -> list[str]:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            return [submit(client) for _ in range(share)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [job for jobs in pool.map(submit_some, shares) for job in jobs]


def submit(client: httpx.Client) -> str:
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    body = {"prompt": "a lighthouse on a cliff", "width": 64, "height": 64, "steps": 1}
    for _ in range(60):
        try:
            answer = client.post("/api/v1/jobs", json=body, headers=headers)
        except httpx.TransportError:
            continue
        if answer.status_code == 202:
            return str(answer.json()["id"])
        assert answer.status_code in {409, 429, 503}, answer.text
        time.sleep(float(answer.headers["Retry-After"]))
    raise AssertionError("a submission was never answered")


@contextmanager
def mishaps(application: Application, web: int, stack: Stack) -> Iterator[list[str]]:
    """Meanwhile: now a worker is killed, now Redis restarted; what befell, in order."""
    told: list[str] = []
    over = threading.Event()
    choose = random.Random(7)

    def befall() -> None:
        while not (over.is_set() and len(told) > len(WORKERS)):
            for victim in choose.sample(["redis", *WORKERS], len(WORKERS) + 1):
                over.wait(PAUSE)
                application.wait_until_ready(web, timeout=PATIENCE)
                if victim == "redis":
                    stack.restart_redis()
                else:
                    application.supervisor.kill(victim)
                told.append(victim)

    with ThreadPoolExecutor(1) as pool:
        befalling = pool.submit(befall)
        try:
            yield told
        finally:
            over.set()
            befalling.result()


def ended(tenant: Tenant) -> int:
    return Job.objects.filter(tenant=tenant, status__in=TERMINAL).count()


def ids(receiver: Receiver) -> set[str]:
    return {one.id for one in receiver.received()}
