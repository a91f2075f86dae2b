"""`make benchmark`: jobs per second and whole-job latency, as ratios in one run."""

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.overhead.cpu import cpu_seconds
from devstack.application import ROOT, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor
from devstack.receiver import Receiver
from devstack.stack import Stack

WORKERS = 2
"""Solo processes, each on every queue; the same number in every case."""


class Case:
    """One way of running a job: how it is submitted, and when each one ended."""

    def __init__(
        self,
        name: str,
        submit: Callable[[int], Any],
        ended: Callable[[], dict[str, float]],
        count: Callable[[], int],
    ) -> None:
        self.name, self.submit, self.ended, self.count = name, submit, ended, count

    def run(self, jobs: int, in_flight: int | None = None) -> tuple[float, list[float]]:
        """Jobs per second from the first submission to the last end, and each job's latency in
        seconds. With `in_flight`, never more than that many at once."""
        before = set(self.ended())
        started: dict[str, float] = {}
        began = time.time()
        for number in range(jobs):
            if in_flight is not None:
                self._wait(before, len(started) - in_flight + 1, look=0.005)
            at = time.time()
            started[str(self.submit(number))] = at
        self._wait(before, jobs, look=0.2)
        ends = {job: end for job, end in self.ended().items() if job not in before}
        return jobs / (max(ends.values()) - began), [ends[job] - started[job] for job in started]

    def _wait(self, before: set[str], count: int, *, look: float, timeout: float = 300.0) -> None:
        """Look every `look` seconds whether `count` jobs more have ended. Under load seldom: the
        cores are for the workers, and ends are read from what was recorded."""
        deadline = time.monotonic() + timeout
        while self.count() - len(before) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name}: not all jobs ended within {timeout:.0f} s")
            time.sleep(look)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--jobs", type=int, default=400, help="jobs at full load")
    parser.add_argument("--single", type=int, default=60, help="jobs one at a time")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="ethical-lens-bench-"))
    root.chmod(0o755)
    with Stack(root / "data", {}) as stack, Supervisor() as supervisor:
        environment = application_environment(
            stack.environment, web_port=1, secret_key=secrets.token_urlsafe(50)
        )
        environment["LOG_LEVEL"] = "WARNING"
        os.environ.update(environment)
        sys.path.insert(0, str(ROOT / "platform"))
        results = _measure(stack, supervisor, environment, root, arguments)
    _report(results)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of one case: the rate at full load, latencies in seconds, CPU seconds per job."""

    rate: float
    alone: list[float]
    loaded: list[float]
    cpu: dict[str, float]


def _measure(
    stack: Stack,
    supervisor: Supervisor,
    environment: dict[str, str],
    root: Path,
    arguments: argparse.Namespace,
) -> dict[str, dict[str, float]]:
    from benchmarks.overhead import bare

    bare.database().execute(bare.SCHEMA)

    def bare_ends() -> dict[str, float]:
        return {str(key): float(value) for key, value in bare.ends.hgetall(bare.ENDS).items()}

    def bare_count() -> int:
        return int(bare.ends.hlen(bare.ENDS))

    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "benchmarks.overhead.bare", "worker"]
    null = [*python, "benchmarks.overhead.null_worker", "worker"]
    results: dict[str, list[_Run]] = {}

    def cpu(case: Case, workers: list[str]) -> dict[str, float]:
        """So far, by process: only (c) has a dispatcher, and only the whole of it objects."""
        services = ["postgres", "redis", *(["s3"] if case is project.whole else [])]
        dispatcher = ["dispatcher"] if case in (project.plain, project.whole) else []
        pids = {name: stack.pid(name) for name in services}
        pids |= {name: supervisor.pid(name) for name in (*workers, *dispatcher)}
        spent = cpu_seconds({name: pid for name, pid in pids.items() if pid is not None})
        # Submitting and looking, without the services and workers, which are our children.
        spent["benchmark"] = sum(os.times()[:2])
        return spent

    def measure(case: Case, argv: list[str], queues: str, **extra: str) -> None:
        log = root / "workers.log"
        names = [f"worker-{i}" for i in range(WORKERS)]
        for name in names:
            supervisor.start(
                name,
                [*argv, "-l", "WARNING", "--pool", "solo", "-n", f"{name}@%h", "-Q", queues,
                 "--without-gossip", "--without-mingle"],
                env={**environment, **extra}, log=log, cwd=ROOT,
            )  # fmt: skip
        case.run(20)  # warm: both workers are up, connections open
        _, latencies = case.run(arguments.single, in_flight=1)
        before = cpu(case, names)
        rate, loaded = case.run(arguments.jobs)
        spent = {
            name: (after - before[name]) / arguments.jobs
            for name, after in cpu(case, names).items()
        }
        results.setdefault(case.name, []).append(_Run(rate, latencies, loaded, spent))
        parts = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in spent.items())
        print(f"  {case.name}: {rate:.1f} jobs/s, CPU ms per job: {parts}", flush=True)
        for name in names:
            supervisor.stop(name)
        bare.ends.delete(bare.ENDS)

    project = _project_cases(supervisor, environment, root)
    with Receiver(project.secret, port=project.port):
        for repeat in range(arguments.repeats):
            print(f"run {repeat + 1} of {arguments.repeats}", flush=True)
            queues = ",".join(bare.QUEUES)
            bare_chain = Case("a bare chain", bare.submit_bare, bare_ends, bare_count)
            measure(bare_chain, celery, queues)
            durable = Case("b least durable", bare.submit_durable, bare_ends, bare_count)
            measure(durable, celery, queues)
            measure(project.plain, null, f"{queues},webhooks", OBJECTS="off")
            measure(project.whole, null, f"{queues},webhooks")
    return {name: _summary(runs) for name, runs in results.items()}


class _project_cases:
    """(c) the project with null models: without objects and webhooks, and with them."""

    def __init__(self, supervisor: Supervisor, environment: dict[str, str], root: Path) -> None:
        import django

        django.setup()
        from django.core.management import call_command

        from accounts.models import Tenant
        from ethical_lens.policy import Policy
        from jobs.models import Job
        from jobs.services import JobRequest, job_submit
        from moderation.models import Policy as PolicyRow
        from moderation.models import PolicyVersion
        from webhooks.endpoints import endpoint_create

        call_command("migrate", verbosity=0)
        version = PolicyVersion.objects.create(
            policy=PolicyRow.objects.create(name="bench"), number=1,
            document=Policy().model_dump(mode="json"),
        )  # fmt: skip
        request = JobRequest(
            prompt="a lighthouse on a cliff", model="mini", width=64, height=64, steps=1,
            guidance_scale=1.0,
        )  # fmt: skip

        def case(name: str) -> tuple[Case, Tenant]:
            tenant = Tenant.objects.create(name=name, slug=name[:1] + secrets.token_hex(3),
                                           policy_version=version)  # fmt: skip

            def ended() -> dict[str, float]:
                rows = Job.objects.filter(tenant=tenant, ended_at__isnull=False)
                return {
                    str(i): at.timestamp() for i, at in rows.values_list("id", "ended_at") if at
                }

            def count() -> int:
                return Job.objects.filter(tenant=tenant, status="succeeded").count()

            def submit(_number: int) -> Any:
                return job_submit(tenant=tenant, request=request).id

            return Case(name, submit, ended, count), tenant

        self.plain, _ = case("c this project, objects and webhooks off")
        self.whole, tenant = case("c this project, whole")
        self.port = free_port()
        self.secret = endpoint_create(
            tenant_id=tenant.id, url=f"http://127.0.0.1:{self.port}/webhooks"
        ).secret
        supervisor.start(
            "dispatcher", [sys.executable, "manage.py", "dispatcher"], env=environment,
            log=root / "dispatcher.log", cwd=ROOT,
        )  # fmt: skip


def _summary(runs: list[_Run]) -> dict[str, float]:
    """Medians over the repeats; latencies and CPU time per job in milliseconds."""

    def percentile(values: list[float], share: float) -> float:
        return statistics.quantiles(values, n=100)[round(share * 100) - 1] * 1000

    return {
        "jobs_per_second": statistics.median(run.rate for run in runs),
        "cpu": statistics.median(sum(run.cpu.values()) * 1000 for run in runs),
        "single_p50": statistics.median(percentile(run.alone, 0.5) for run in runs),
        "single_p95": statistics.median(percentile(run.alone, 0.95) for run in runs),
        "loaded_p50": statistics.median(percentile(run.loaded, 0.5) for run in runs),
        "loaded_p95": statistics.median(percentile(run.loaded, 0.95) for run in runs),
    }


def _report(results: dict[str, dict[str, float]]) -> None:
    bare, least = (results[name] for name in ("a bare chain", "b least durable"))
    print(
        "\n| case | jobs/s | of a | of b | CPU per job | b's of it "
        "| alone p50 | alone p95 | loaded p50 | loaded p95 |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    for name, row in results.items():
        rate = row["jobs_per_second"]
        print(
            f"| {name} | {rate:.1f} | {rate / bare['jobs_per_second']:.0%} | "
            f"{rate / least['jobs_per_second']:.0%} | {row['cpu']:.1f} ms | "
            f"{least['cpu'] / row['cpu']:.0%} | "
            + " | ".join(
                f"{row[key]:.0f} ms"
                for key in ("single_p50", "single_p95", "loaded_p50", "loaded_p95")
            )
            + " |"
        )


if __name__ == "__main__":
    main()
