"""Open streams beside requests: `python -m benchmarks.streams --streams 500`.

One web process on throw-away services. Latencies of getting and of submitting a job without any
stream, then while so many are open and a job of them ends now and then; and how long after its
commit an end reaches its stream. A record of all figures goes to stdout as JSON.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import django
import httpx
import psutil

from devstack.application import Application, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor
from devstack.stack import Stack

REQUESTS = 200
ENDS = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams")
    parser.add_argument("--streams", type=int, default=500)
    arguments = parser.parse_args()
    with Stack.temporary() as stack, Supervisor() as supervisor:
        port = free_port()
        environment = application_environment(
            stack.environment, web_port=port, secret_key=secrets.token_urlsafe(50)
        ) | {"LOG_LEVEL": "WARNING"}
        os.environ.update(environment)
        django.setup()
        application = Application(supervisor, environment, Path(tempfile.mkdtemp()))
        application.migrate()
        application.start_web(port)
        key, jobs = _prepare(arguments.streams)
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        main_process = psutil.Process(supervisor.pid("web"))
        web = [main_process, *main_process.children(recursive=True)][-1]
        print(json.dumps(asyncio.run(_measure(url, key, jobs, web)), indent=2))


def _prepare(count: int) -> tuple[str, list[str]]:
    from accounts.models import Scope, Tenant
    from accounts.services import api_key_create
    from ethical_lens.policy import Policy
    from jobs.services import JobRequest, job_submit
    from moderation.models import Policy as PolicyRow
    from moderation.models import PolicyVersion

    version = PolicyVersion.objects.create(
        policy=PolicyRow.objects.create(name="streams"),
        number=1,
        document=Policy().model_dump(mode="json"),
    )
    tenant = Tenant.objects.create(
        name="streams", slug="streams", policy_version=version, requests_per_minute=10**6
    )
    _, key = api_key_create(tenant=tenant, name="streams", scopes=tuple(Scope))
    request = JobRequest(
        prompt="a doctor", model="mini", width=96, height=96, steps=8, guidance_scale=4.0
    )
    return key, [str(job_submit(tenant=tenant, request=request).id) for _ in range(count)]


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/livez").is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit("the web process does not answer")


async def _measure(url: str, key: str, jobs: list[str], web: psutil.Process) -> dict[str, Any]:
    async with httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=120,
        limits=httpx.Limits(max_connections=None),
    ) as client:
        figures: dict[str, Any] = {"streams": len(jobs), "without": await _requests(client, jobs)}
        memory = web.memory_info().rss
        ended: dict[str, float] = {}
        opened = asyncio.Semaphore(0)
        reading = [asyncio.create_task(_follow(client, job, opened, ended)) for job in jobs]
        for _ in jobs:
            await opened.acquire()
        await asyncio.sleep(5)
        figures["kib_per_stream"] = (web.memory_info().rss - memory) // 1024 // len(jobs)
        figures["threads"] = web.num_threads()
        busy = web.cpu_times()
        await asyncio.sleep(10)
        idle = web.cpu_times()
        figures["cpu_share_idle"] = (idle.user + idle.system - busy.user - busy.system) / 10
        figures["with"] = await _requests(client, jobs)
        figures["end_to_stream_ms"] = _spread(await _end_some(client, jobs[:ENDS], ended))
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    return figures


async def _follow(
    client: httpx.AsyncClient, job: str, opened: asyncio.Semaphore, ended: dict[str, float]
) -> None:
    async with client.stream("GET", f"/api/v1/jobs/{job}/events") as response:
        response.raise_for_status()
        first = True
        async for line in response.aiter_lines():
            if first:
                opened.release()
                first = False
            if line == "event: end":
                ended[job] = time.monotonic()


async def _requests(client: httpx.AsyncClient, jobs: list[str]) -> dict[str, Any]:
    gets, posts = [], []
    for number in range(REQUESTS):
        begun = time.monotonic()
        (await client.get(f"/api/v1/jobs/{jobs[number % len(jobs)]}")).raise_for_status()
        gets.append(time.monotonic() - begun)
        begun = time.monotonic()
        (await client.post("/api/v1/jobs", json={"prompt": "a doctor"})).raise_for_status()
        posts.append(time.monotonic() - begun)
    return {"get_ms": _spread(gets), "post_ms": _spread(posts)}


async def _end_some(
    client: httpx.AsyncClient, jobs: list[str], ended: dict[str, float]
) -> list[float]:
    delays = []
    for job in jobs:
        (await client.post(f"/api/v1/jobs/{job}/cancel")).raise_for_status()
        committed = time.monotonic()
        while job not in ended:
            await asyncio.sleep(0.001)
        delays.append(max(0.0, ended[job] - committed))
    return delays


def _spread(seconds: list[float]) -> dict[str, float]:
    percentiles = statistics.quantiles(seconds, n=100)
    return {f"p{p}": round(percentiles[p - 1] * 1000, 1) for p in (50, 95, 99)}


if __name__ == "__main__":
    main()
