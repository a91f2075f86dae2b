"""The doorways: each task takes ids, makes one call, and knows nothing of the workflow."""

import gc
import logging
import os
from typing import Any

from celery import signals
from celery.concurrency.prefork import TaskPool as ForkingPool
from django.db import connection

from accounts.idempotency import kept_answers_forget
from config.celery import app
from config.tracing import HEADER, trace_enter
from jobs.stages import STAGES
from jobs.sweep import orphans_sweep, workers_forget
from policies.retention import jobs_erase
from webhooks.endpoints import previous_secrets_forget
from workers.align import job_revise, jobs_align
from workers.deliver import event_deliver
from workers.edit import job_edit
from workers.evaluate import evaluation_continue
from workers.generate import jobs_paint
from workers.heartbeat import HEARTBEAT
from workers.leasing import stages_run
from workers.loading import load_for
from workers.release import jobs_release
from workers.scrutinise import jobs_scrutinise
from workers.sent import job_fetch, job_inspect

logger = logging.getLogger(__name__)

EVALUATE = "evaluate"
STAGE_TASKS = frozenset(stage.task for stage in STAGES.values())


@app.task(name="workers.align")
def align(stage_ids: list[str]) -> None:
    stages_run(stage_ids, jobs_align)


@app.task(name="workers.fetch")
def fetch(stage_ids: list[str]) -> None:
    stages_run(stage_ids, job_fetch)


@app.task(name="workers.inspect")
def inspect(stage_ids: list[str]) -> None:
    stages_run(stage_ids, job_inspect)


@app.task(name="workers.revise")
def revise(stage_ids: list[str]) -> None:
    stages_run(stage_ids, job_revise)


@app.task(name="workers.generate")
def generate(stage_ids: list[str]) -> None:
    stages_run(stage_ids, jobs_paint)


@app.task(name="workers.scrutinise")
def scrutinise(stage_ids: list[str]) -> None:
    stages_run(stage_ids, jobs_scrutinise)


@app.task(name="workers.edit")
def edit(stage_ids: list[str]) -> None:
    stages_run(stage_ids, job_edit)


@app.task(name="workers.release")
def release(stage_ids: list[str]) -> None:
    stages_run(stage_ids, jobs_release)


@app.task(name="workers.deliver")
def deliver(delivery_id: str, token: int) -> None:
    event_deliver(delivery_id=delivery_id, token=token)


@app.task(name="workers.evaluate")
def evaluate(name: str) -> None:
    if evaluation_continue(name):
        evaluate.apply_async((name,), queue=EVALUATE)


@app.task(name="workers.forget_workers")
def forget_workers() -> None:
    workers_forget()


@app.task(name="workers.sweep")
def sweep() -> None:
    orphans_sweep()


@app.task(name="workers.erase")
def erase() -> None:
    jobs_erase()


@app.task(name="workers.forget_expired")
def forget_expired() -> None:
    previous_secrets_forget()
    kept_answers_forget()


@signals.worker_init.connect
def begin(sender: Any, **_: Any) -> None:
    """Load the models of the worker's queues and begin to beat, before anything is consumed."""
    if isinstance(sender.pool_cls, type) and issubclass(sender.pool_cls, ForkingPool):
        raise SystemExit("Start the worker with --pool solo or --pool threads: it must not fork.")
    queues = sorted(sender.app.amqp.queues.consume_from)
    HEARTBEAT.start(name=f"{sender.hostname}:{os.getpid()}", queues=queues)
    seconds, ready = load_for(queues)
    HEARTBEAT.models_loaded(seconds, ready=ready)
    if not ready:
        raise SystemExit(
            "Not all models could be loaded, so nothing is consumed; see the log above."
        )
    gc.freeze()  # what is loaded lives as long as the process: do not look through it again
    # Celery closes the file descriptor under an open connection when its pool starts.
    connection.close()


@signals.task_prerun.connect
def check_connection(sender: Any, **_: Any) -> None:
    """Drop a database connection that broke since the last task; the next query opens another.

    Stages need no such look, which costs a statement: their claim tries again by itself.
    """
    if sender.name not in STAGE_TASKS:
        connection.close_if_unusable_or_obsolete()


@signals.task_prerun.connect
def trace_begin(task: Any, **_: Any) -> None:
    """Put the trace of a message into the log lines of its task."""
    trace_enter(getattr(task.request, HEADER, None) or "")


@signals.task_postrun.connect
def trace_end(**_: Any) -> None:
    trace_enter("")


@signals.worker_shutdown.connect
def end(**_: Any) -> None:
    """Leave in good order."""
    HEARTBEAT.stop()
