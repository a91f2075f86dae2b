"""Where the time of case (c) goes: milliseconds and SQL statements per stage, in one process.

    python -m benchmarks.overhead.stages

No broker and no Celery: each stage of each job is run where it stands, with null models and
without objects, on a PostgreSQL of its own. Shares of the whole are what can be compared.
"""

import argparse
import contextlib
import gc
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from devstack.application import ROOT, application_environment
from devstack.stack import Stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    jobs = parser.parse_args().jobs
    root = Path(tempfile.mkdtemp(prefix="ethical-lens-bench-"))
    root.chmod(0o755)
    with Stack(root / "data", {}) as stack:
        os.environ.update(
            application_environment(
                stack.environment, web_port=1, secret_key=secrets.token_urlsafe(50)
            ),
            OBJECTS="off",
            LOG_LEVEL="ERROR",
        )
        sys.path.insert(0, str(ROOT / "platform"))
        _measure(jobs)


def _measure(jobs: int) -> None:
    import django

    django.setup()
    from celery.exceptions import Ignore
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts.models import Tenant
    from benchmarks.overhead.null_worker import replace_models
    from ethical_lens.policy import Policy
    from jobs.models import Job
    from jobs.services import JobRequest, job_submit
    from moderation.models import Policy as PolicyRow
    from moderation.policies import policy_version_add

    call_command("migrate", verbosity=0)
    replace_models()
    from workers.align import jobs_align
    from workers.generate import jobs_paint
    from workers.leasing import stages_run
    from workers.release import jobs_release
    from workers.scrutinise import jobs_scrutinise

    work = {
        "align": jobs_align, "generate": jobs_paint,
        "scrutinise": jobs_scrutinise, "release": jobs_release,
    }  # fmt: skip
    version = policy_version_add(
        policy=PolicyRow.objects.create(name="bench"), document=Policy(), created_by=None
    )
    tenant = Tenant.objects.create(name="bench", slug="bench", policy_version=version)
    request = JobRequest(
        prompt="a lighthouse on a cliff", model="mini", width=64, height=64, steps=1,
        guidance_scale=1.0,
    )  # fmt: skip
    seconds: dict[str, float] = dict.fromkeys(("submit", *work), 0.0)
    statements: Counter[str] = Counter()

    def run(job: Job) -> None:
        for row in job.stages.order_by("position"):
            began = time.perf_counter()
            with contextlib.suppress(Ignore):
                stages_run([str(row.id)], work[row.stage])
            seconds[row.stage] += time.perf_counter() - began

    def count(job: Job) -> None:
        for row in job.stages.order_by("position"):
            with CaptureQueriesContext(connection) as seen, contextlib.suppress(Ignore):
                stages_run([str(row.id)], work[row.stage])
            statements[row.stage] = len(seen)

    run(job_submit(tenant=tenant, request=request))
    count(job_submit(tenant=tenant, request=request))
    seconds = dict.fromkeys(seconds, 0.0)
    gc.freeze()
    for _ in range(jobs):
        began = time.perf_counter()
        job = job_submit(tenant=tenant, request=request)
        seconds["submit"] += time.perf_counter() - began
        run(job)
    whole = sum(seconds.values())
    print("| part | ms per job | share | SQL statements |\n|---|---|---|---|")
    for part in ("submit", *work):
        own = seconds[part]
        print(
            f"| {part} | {own / jobs * 1000:.1f} | {own / whole:.0%} | {statements[part] or ''} |"
        )
    print(f"| together | {whole / jobs * 1000:.1f} | | {sum(statements.values())} |")


if __name__ == "__main__":
    main()
