"""`python -m benchmarks.api`: submit, get and list beside a bare view, then in a full table."""

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import httpx

from benchmarks.api.client import Figures, measure
from devstack.application import ROOT, Application, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor
from devstack.stack import Stack

FEW = 1000
BODY = {"prompt": "a lighthouse on a cliff"}
UNBOUNDED = {
    "QUOTA_REQUESTS_PER_MINUTE": "10000000", "QUOTA_JOBS_IN_FLIGHT": "10000000",
    "QUEUE_LIMIT": "10000000", "LOG_LEVEL": "WARNING",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="of each kind, in each repeat")
    parser.add_argument("--clients", type=int, default=4, help="at once")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--many", type=int, default=1_000_000, help="jobs in the full table")
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="ethical-lens-bench-"))
    root.chmod(0o755)
    with Stack(root / "data", {}) as stack, Supervisor() as supervisor:
        port, bare = free_port(), free_port()
        environment = application_environment(
            stack.environment, web_port=port, secret_key=secrets.token_urlsafe(50)
        )
        environment |= UNBOUNDED
        os.environ.update(environment)
        sys.path.insert(0, str(ROOT / "platform"))
        application = Application(supervisor, environment, root)
        application.migrate()
        application.start_web(port)
        server = str(Path(sys.executable).with_name("granian"))
        supervisor.start(
            "bare",
            [server, "--interface", "asgi", "--host", "127.0.0.1", "--port", str(bare), "--no-ws",
             "--workers", "1", "benchmarks.api.bare:application"],
            env=environment, log=root / "bare.log", cwd=ROOT,
        )  # fmt: skip
        _measure(port, bare, arguments)


def _measure(port: int, bare: int, arguments: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.db import connection

    from accounts.models import Scope, Tenant
    from accounts.services import api_key_create
    from benchmarks.api.filling import jobs_fill
    from ethical_lens.policy import Policy
    from jobs.services import JobRequest, job_cancel, job_submit
    from moderation.models import Policy as PolicyRow
    from moderation.models import PolicyVersion

    version = PolicyVersion.objects.create(
        policy=PolicyRow.objects.create(name="bench"), number=1,
        document=Policy().model_dump(mode="json"),
    )  # fmt: skip
    tenant = Tenant.objects.create(name="bench", slug="bench", policy_version=version)
    _, key = api_key_create(tenant=tenant, name="bench", scopes=tuple(Scope))
    request = JobRequest(
        prompt="a lighthouse on a cliff", model="mini", width=96, height=96, steps=8,
        guidance_scale=4.0,
    )  # fmt: skip
    template = job_cancel(job_id=job_submit(tenant=tenant, request=request).id).id
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_row (id bigserial PRIMARY KEY, prompt text NOT NULL)")
    for server in (f"http://127.0.0.1:{port}/livez", f"http://127.0.0.1:{bare}/"):
        _wait(server)

    jobs = "/api/v1/jobs"

    def run(count: int) -> dict[str, Figures]:
        common = {"count": count, "clients": arguments.clients}
        return {
            "a bare insert": measure(bare, "POST", "/rows", body=BODY, **common),
            "submit": measure(port, "POST", jobs, key=key, body=BODY, **common),
            "get": measure(port, "GET", f"{jobs}/{template}", key=key, **common),
            "list of 50": measure(port, "GET", f"{jobs}?page_size=50", key=key, **common),
        }

    def repeated(name: str) -> dict[str, Figures]:
        run(100)  # warm
        runs = [run(arguments.requests) for _ in range(arguments.repeats)]
        found = {kind: _median([one[kind] for one in runs]) for kind in runs[0]}
        _report(name, found)
        return found

    jobs_fill(template=template, count=FEW)
    few = repeated(f"{FEW} jobs and what was submitted")
    began = time.monotonic()
    jobs_fill(template=template, count=arguments.many)
    print(f"\nfilled in {time.monotonic() - began:.0f} s", flush=True)
    many = repeated(f"{arguments.many} jobs more")
    print(f"\nsubmit of a bare insert: {few['submit'].rate / few['a bare insert'].rate:.0%}")
    for kind, figures in many.items():
        print(f"p95 of {kind}, full beside empty: {figures.p95 / few[kind].p95:.2f}")


def _wait(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.3)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def _median(runs: list[Figures]) -> Figures:
    return Figures(
        *(statistics.median(getattr(run, field.name) for run in runs) for field in fields(Figures))
    )


def _report(name: str, found: dict[str, Figures]) -> None:
    bare = found["a bare insert"].rate
    print(f"\n{name}\n\n| | requests/s | of bare | p50 | p95 | p99 |\n|---|---|---|---|---|---|")
    for kind, row in found.items():
        print(
            f"| {kind} | {row.rate:.0f} | {row.rate / bare:.0%} | {row.p50:.1f} ms "
            f"| {row.p95:.1f} ms | {row.p99:.1f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
