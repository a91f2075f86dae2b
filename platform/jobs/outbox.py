"""The outbox: jobs whose chain is to be sent, written in the transaction that makes it so."""

from datetime import datetime
from typing import Final

from django.db import connection

from jobs.models import Job

WAKE_CHANNEL: Final = "dispatch"
"""PostgreSQL NOTIFY channel that wakes the dispatcher when a transaction commits."""


def dispatcher_wake() -> None:
    """Wake the dispatcher when the transaction under way commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


def outbox_admit(*, job: Job) -> None:
    """Make the first stage of a new job ready, and let it wait for a place in the dispatch window.

    One statement does it, and wakes the dispatcher when the transaction commits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH ready AS (
                UPDATE jobs_stagerun SET state = 'ready', driven_at = clock_timestamp(),
                                         ready_at = clock_timestamp()
                WHERE state = 'waiting'
                  AND id = (SELECT id FROM jobs_stagerun WHERE job_id = %(job)s
                            ORDER BY position LIMIT 1)
            ), written AS (
                INSERT INTO jobs_outbox (job_id, tenant_id, priority, admission, available_at)
                VALUES (%(job)s, %(tenant)s, %(priority)s, true, clock_timestamp())
            )
            SELECT pg_notify(%(channel)s, '')
            """,
            {
                "job": job.id,
                "tenant": job.tenant_id,
                "priority": job.priority,
                "channel": WAKE_CHANNEL,
            },
        )


def outbox_continue(*jobs: Job, available_at: datetime | None = None) -> None:
    """Send what is left of the chains of admitted jobs, at `available_at` or now.

    A row that waits already is kept with the earlier time: one chain is enough.
    """
    if not jobs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH written AS (
                INSERT INTO jobs_outbox (job_id, tenant_id, priority, admission, available_at)
                SELECT id, tenant_id, priority, false, coalesce(%s, clock_timestamp())
                FROM jobs_job WHERE id = ANY(%s)
                ON CONFLICT (job_id) DO UPDATE
                SET available_at = least(jobs_outbox.available_at, excluded.available_at)
            )
            SELECT pg_notify(%s, '')
            """,
            [available_at, [job.id for job in jobs], WAKE_CHANNEL],
        )
