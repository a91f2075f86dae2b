"""A real worker that waits, fails or dies at a chosen moment, as files in a folder tell it.

    <stage>-claimed   wait after the claim, before the work
    <stage>-worked    wait after the work, before the stage is finished
    <stage>-fails     raise instead of working
    <stage>-dies      end the process when a job of the batch has "poison" in its prompt

Where it waits it says so, in a file `<moment>.reached`.

Nothing of the project is replaced: the real work runs before or after.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from celery import signals

from config.celery import app

FOLDER = Path(os.environ["MOMENTS"])


def told(moment: str) -> bool:
    return (FOLDER / moment).exists()


def wait_while(moment: str) -> None:
    if told(moment):
        (FOLDER / f"{moment}.reached").touch()
    while told(moment):
        time.sleep(0.02)


def instrumented(stage: str, work: Callable[..., bool]) -> Callable[..., bool]:
    def run(claims: Sequence[Any]) -> bool:
        from jobs.models import Job

        wait_while(f"{stage}-claimed")
        if told(f"{stage}-fails"):
            raise RuntimeError("this stage fails, as told")
        jobs = Job.objects.filter(pk__in=[claim.job_id for claim in claims])
        if told(f"{stage}-dies") and any("poison" in job.prompt for job in jobs):
            os._exit(9)
        return work(claims)

    return run


def waiting(finish: Callable[..., bool]) -> Callable[..., bool]:
    def run(*, claims: Sequence[Any], **rest: Any) -> bool:
        wait_while(f"{claims[0].stage.name.value}-worked")
        return finish(claims=claims, **rest)

    return run


@signals.worker_init.connect
def instrument(**_: Any) -> None:
    import workers.tasks as tasks
    from jobs import claims
    from jobs.recording import alignment, painting, release, scrutiny

    for stage, name in {
        "fetch": "job_fetch",
        "align": "jobs_align",
        "inspect": "job_inspect",
        "revise": "job_revise",
        "generate": "jobs_paint",
        "scrutinise": "jobs_scrutinise",
        "edit": "job_edit",
        "release": "jobs_release",
    }.items():
        setattr(tasks, name, instrumented(stage, getattr(tasks, name)))
    claims.stages_finish = waiting(claims.stages_finish)
    for module in (alignment, painting, release, scrutiny):
        module.stages_finish = claims.stages_finish


if __name__ == "__main__":
    app.worker_main(sys.argv[1:])
