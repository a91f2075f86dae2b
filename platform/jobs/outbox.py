"""The outbox: jobs whose chain is to be sent, written in the transaction that makes it so."""

from collections.abc import Sequence
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
    """Let a new job wait for a place in the dispatch window."""
    _write([job], admission=True, available_at=None)


def outbox_continue(*jobs: Job, available_at: datetime | None = None) -> None:
    """Send what is left of the chains of admitted jobs, at `available_at` or now.

    A row that waits already is kept with the earlier time: one chain is enough.
    """
    if jobs:
        _write(jobs, admission=False, available_at=available_at)


def _write(jobs: Sequence[Job], *, admission: bool, available_at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH written AS (
                INSERT INTO jobs_outbox (job_id, tenant_id, priority, admission, available_at)
                SELECT id, tenant_id, priority, %s, coalesce(%s, clock_timestamp())
                FROM jobs_job WHERE id = ANY(%s)
                ON CONFLICT (job_id) DO UPDATE
                SET available_at = least(jobs_outbox.available_at, excluded.available_at)
            )
            SELECT pg_notify(%s, '')
            """,
            [admission, available_at, [job.id for job in jobs], WAKE_CHANNEL],
        )
