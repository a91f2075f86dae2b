"""The next stage becomes ready. Called with the job locked."""

from datetime import datetime

from django.db import connection

from jobs.models import Job


def stage_promote(job: Job, *, delay: float = 0.0) -> datetime | None:
    """Make the job's first waiting stage ready, `delay` seconds from now by the database's clock.

    When it will be ready, or None where no stage waits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE jobs_stagerun
            SET state = 'ready', driven_at = clock_timestamp(),
                ready_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id = (SELECT id FROM jobs_stagerun
                        WHERE job_id = %s AND state = 'waiting' ORDER BY position LIMIT 1)
            RETURNING ready_at
            """,
            [delay, job.id],
        )
        row = cursor.fetchone()
    return row[0] if row else None
