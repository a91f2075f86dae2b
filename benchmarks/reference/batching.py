"""Jobs per second of a worker with jobs waiting: pictures of several jobs together, or not."""

import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.reference.report import Row
from devstack.application import ROOT, WORKERS, application_environment
from devstack.processes import Supervisor
from devstack.stack import Stack

SUBJECTS: Final = (
    "a house in the mountains", "a boat on the beach", "a cat in the park", "a tree by the river",
)  # fmt: skip
BATCH: Final = 16
"""Pictures painted together at most; 1 is a job at a time."""


def measure(jobs: int, threads: int, repeats: int) -> Iterator[Row]:
    """On a PostgreSQL, Redis and S3 of its own, with the miniature models; no job shares a prompt's
    seed with another."""
    root = Path(tempfile.mkdtemp(prefix="ethical-lens-bench-"))
    root.chmod(0o755)
    with Stack(root / "data", {}) as stack, Supervisor() as supervisor:
        environment = application_environment(
            stack.environment, web_port=1, secret_key=secrets.token_urlsafe(50)
        )
        environment |= {
            "LOG_LEVEL": "WARNING", "DISPATCH_WINDOW": str(jobs), "OMP_NUM_THREADS": str(threads),
            "MODELS": "mini", "SILENT_SECONDS": "600",
        }  # fmt: skip
        os.environ.update(environment)
        sys.path.insert(0, str(ROOT / "platform"))
        run = _runner(supervisor, environment, root / "logs")
        rates: dict[int, list[float]] = {1: [], BATCH: []}
        for _ in range(repeats):
            for size, found in rates.items():
                found.append(run(size, jobs))
    alone, together = (statistics.median(found) for found in rates.values())
    yield Row(
        f"jobs a second with {jobs} waiting, one at a time and up to {BATCH} together",
        f"{alone:.2f}", f"{together:.2f}", together / alone, "≥ 1.5", met=together / alone >= 1.5,
    )  # fmt: skip


def _runner(supervisor: Supervisor, environment: dict[str, str], logs: Path) -> Any:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.models import Tenant
    from ethical_lens.policy import Policy
    from ethical_lens.sources import MINI, ModelSources
    from jobs.models import Job, StageRun
    from jobs.services import JobRequest, job_submit
    from moderation.models import Policy as PolicyRow
    from moderation.policies import policy_version_add

    call_command("migrate", verbosity=0)
    logs.mkdir()
    version = policy_version_add(
        policy=PolicyRow.objects.create(name="bench"), document=Policy(), created_by=None
    )
    tenant = Tenant.objects.create(name="bench", slug="bench", policy_version=version)
    model = ModelSources.parse(MINI).pipelines[MINI]

    def start(name: str, *arguments: str, **extra: str) -> None:
        supervisor.start(
            name, [sys.executable, *arguments], env={**environment, **extra},
            log=logs / f"{name}.log", cwd=ROOT,
        )  # fmt: skip

    def worker(name: str, **extra: str) -> None:
        start(
            name, "-m", "celery", "-A", "config", "worker", "-l", "WARNING", "-n", f"{name}@%h",
            "--without-gossip", "--without-mingle", *WORKERS[name], **extra,
        )  # fmt: skip

    def wait_until(done: Any, what: str) -> None:
        deadline = time.monotonic() + 600
        while not done():
            if time.monotonic() > deadline:
                raise SystemExit(f"{what}: not within ten minutes; see {logs}")
            time.sleep(0.2)

    def run(size: int, jobs: int) -> float:
        """Submit and align `jobs` jobs, then let a worker that paints up to `size` pictures at
        once have them: jobs per second from its first claim to the last end."""
        submitted = [
            job_submit(
                tenant=tenant,
                request=JobRequest(
                    prompt=SUBJECTS[i % len(SUBJECTS)], model=MINI, seed=i, width=model.width,
                    height=model.height, steps=model.steps, guidance_scale=model.guidance_scale,
                ),
            ).id
            for i in range(jobs)
        ]  # fmt: skip
        painting = StageRun.objects.filter(job__in=submitted, stage="generate", round=1)
        ended = Job.objects.filter(pk__in=submitted, ended_at__isnull=False)
        wait_until(lambda: painting.filter(state="ready").count() == jobs, "aligning")
        worker("worker-pictures", GENERATE_BATCH_SIZE=str(size))
        wait_until(lambda: ended.count() == jobs, "painting and scrutinising")
        supervisor.stop("worker-pictures")
        began = min(filter(None, painting.values_list("started_at", flat=True)))
        last = max(filter(None, ended.values_list("ended_at", flat=True)))
        return jobs / (last - began).total_seconds()

    start("dispatcher", "manage.py", "dispatcher")
    worker("worker-text")
    worker("worker-io")
    return run
