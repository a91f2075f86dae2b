"""Where waiting jobs stand in the queue, and when their turn may come."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from config.rows import rows_read
from jobs.models import IN_FLIGHT_VALUES

# In the order in which `jobs.dispatch` admits: by turn, then priority, then age. Jobs in flight are
# as old as half the time they take, on average, so that many leave in twice their mean age.
_PLACES = """
WITH in_flight AS (
    SELECT tenant_id, count(*) AS jobs,
           sum(extract(epoch FROM clock_timestamp() - admitted_at)) AS age
    FROM jobs_job WHERE admitted_at IS NOT NULL AND status = ANY(%(in_flight)s) GROUP BY tenant_id
), turns AS (
    SELECT waiting.job_id, waiting.priority, coalesce(in_flight.jobs, 0) + waiting.place AS turn
    FROM (
        SELECT job_id, tenant_id, priority,
               row_number() OVER (PARTITION BY tenant_id ORDER BY priority DESC, job_id) AS place
        FROM jobs_outbox WHERE admission
    ) AS waiting
    LEFT JOIN in_flight USING (tenant_id)
), places AS (
    SELECT job_id, row_number() OVER (ORDER BY turn, priority DESC, job_id) AS place FROM turns
)
SELECT places.job_id, places.place,
       (SELECT 2 * sum(age) / sum(jobs) ^ 2 FROM in_flight)::float AS seconds_per_place
FROM places WHERE job_id = ANY(%(jobs)s)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A job is the `position`-th to be admitted, in about `starts_in_seconds`; None: nothing is at
    work from which that could be told. 0: it was admitted."""

    position: int
    starts_in_seconds: float | None


def places_look(job_ids: Sequence[UUID]) -> dict[UUID, Place]:
    """Where these jobs stand; those that do not wait for admission are at 0.

    Ranks the whole queue, so ask for many jobs at once, and not often.
    """
    rows = rows_read(
        lambda *row: row, _PLACES, {"jobs": list(job_ids), "in_flight": IN_FLIGHT_VALUES}
    )
    found = {
        job_id: Place(place, None if seconds is None else round(place * seconds, 1))
        for job_id, place, seconds in rows
    }
    return {job_id: found.get(job_id, Place(0, 0.0)) for job_id in job_ids}
