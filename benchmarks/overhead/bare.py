"""(a) a bare chain of four no-op tasks, (b) the same with the least that durability costs.

Run by Celery as `-A benchmarks.overhead.bare`; all four links of a chain share one queue per
link, as the project's stages do.
"""

import itertools
import os
import time

import psycopg
import redis
from celery import Celery, chain, signature
from celery.exceptions import Ignore

REDIS_URL, DATABASE_URL = os.environ["REDIS_URL"], os.environ["DATABASE_URL"]
QUEUES = ("text", "generate", "scrutinise", "io")
ENDS = "bench:ends"
SCHEMA = """
CREATE TABLE IF NOT EXISTS bench_job (id bigserial PRIMARY KEY, status text NOT NULL);
CREATE TABLE IF NOT EXISTS bench_stage (
    job bigint NOT NULL REFERENCES bench_job, position int NOT NULL, state text NOT NULL,
    token int NOT NULL DEFAULT 0, lease timestamptz, PRIMARY KEY (job, position));
"""

app = Celery("bare", broker=REDIS_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"priority_steps": [0], "queue_order_strategy": "priority"},
)
ends = redis.Redis.from_url(REDIS_URL, decode_responses=True)
_connection: psycopg.Connection | None = None


def database() -> psycopg.Connection:
    """The one connection of this process, autocommit: each statement is a transaction."""
    global _connection
    if _connection is None or _connection.closed:
        _connection = psycopg.connect(DATABASE_URL, autocommit=True)
    return _connection


@app.task(name="bare.link")
def bare_link(job: int, position: int) -> None:
    if position == len(QUEUES) - 1:
        ends.hset(ENDS, str(job), time.time())


@app.task(name="durable.link")
def durable_link(job: int, position: int) -> None:
    claimed = (
        database()
        .execute(
            "UPDATE bench_stage SET state = 'running', token = token + 1, "
            "lease = now() + interval '1 minute' "
            "WHERE job = %s AND position = %s AND state = 'ready' RETURNING token",
            [job, position],
        )
        .fetchone()
    )
    if claimed is None:
        raise Ignore
    with database().transaction():
        database().execute(
            "UPDATE bench_stage SET state = 'done', lease = NULL "
            "WHERE job = %s AND position = %s AND token = %s AND state = 'running'",
            [job, position, claimed[0]],
        )
        if position == len(QUEUES) - 1:
            database().execute("UPDATE bench_job SET status = 'done' WHERE id = %s", [job])
        else:
            database().execute(
                "UPDATE bench_stage SET state = 'ready' WHERE job = %s AND position = %s",
                [job, position + 1],
            )
    if position == len(QUEUES) - 1:
        ends.hset(ENDS, str(job), time.time())


def send(task: str, job: int) -> None:
    """Publish the chain of one job."""
    links = [
        signature(task, args=[job, position], queue=queue, immutable=True, app=app)
        for position, queue in enumerate(QUEUES)
    ]
    chain(*links, app=app).apply_async()


_numbers = itertools.count()


def submit_bare(_number: int) -> int:
    number = next(_numbers)
    send("bare.link", number)
    return number


def submit_durable(_number: int) -> int:
    with database().transaction():
        row = (
            database()
            .execute("INSERT INTO bench_job (status) VALUES ('queued') RETURNING id")
            .fetchone()
        )
        assert row is not None
        database().execute(
            "INSERT INTO bench_stage (job, position, state) "
            "SELECT %s, p, CASE WHEN p = 0 THEN 'ready' ELSE 'waiting' END "
            "FROM generate_series(0, 3) AS p",
            [row[0]],
        )
    send("durable.link", row[0])
    return int(row[0])
