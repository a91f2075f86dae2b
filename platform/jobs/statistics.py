"""Counts over the jobs that a tenant submitted in a time, read from the rows themselves."""

from datetime import datetime
from typing import Final, TypedDict
from uuid import UUID

from django.db import connection

from config.identifiers import uuid7_first


class Statistics(TypedDict):
    """Counts by name; `drawn` by attribute, then by what was drawn."""

    jobs: dict[str, int]
    reasons: dict[str, int]
    pictures: dict[str, int]
    labels: dict[str, int]
    factors: dict[str, int]
    heads: dict[str, int]
    drawn: dict[str, dict[str, int]]


ATTRIBUTES: Final = ("gender", "race", "age")

# A replay repeats the draws of another job, so they are counted there.
# Ids are UUIDv7: those of a time are a range of the index (tenant, id).
_COUNTS = """
WITH job AS MATERIALIZED (
    SELECT id, status, reason, text_verdict, replay_of_id FROM jobs_job
    WHERE tenant_id = %(tenant)s AND id >= %(since)s AND id < %(until)s AND n > 0
), picture AS MATERIALIZED (
    SELECT picture.status, CASE WHEN replay_of_id IS NULL THEN picture.draws END AS draws
    FROM jobs_picture picture JOIN job ON job.id = picture.job_id
), person AS (
    SELECT jsonb_array_elements(draws) AS drawn FROM picture WHERE jsonb_typeof(draws) = 'array'
)
SELECT 'jobs', status, count(*) FROM job GROUP BY 2
UNION ALL SELECT 'reasons', reason, count(*) FROM job WHERE reason <> '' GROUP BY 2
UNION ALL SELECT 'pictures', status, count(*) FROM picture GROUP BY 2
UNION ALL SELECT 'labels', name, count(*)
    FROM job, jsonb_array_elements_text(text_verdict -> 'labels') AS name GROUP BY 2
UNION ALL SELECT 'factors', name, count(*)
    FROM job, jsonb_array_elements_text(text_verdict -> 'factors') AS name GROUP BY 2
UNION ALL SELECT 'heads', concept, count(DISTINCT decision.picture_id)
    FROM moderation_decision decision JOIN job ON job.id = decision.job_id,
         unnest(decision.findings) AS concept
    WHERE decision.stage = 'scrutinise' GROUP BY 2
UNION ALL SELECT attribute, drawn ->> attribute, count(*)
    FROM person, unnest(%(attributes)s::text[]) AS attribute
    WHERE drawn ->> attribute IS NOT NULL GROUP BY 1, 2
"""


def statistics_count(*, tenant_id: UUID, since: datetime, until: datetime) -> Statistics:
    """What became of the jobs that the tenant submitted from `since` to before `until`."""
    counts = Statistics(
        jobs={}, reasons={}, pictures={}, labels={}, factors={}, heads={},
        drawn={attribute: {} for attribute in ATTRIBUTES},
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTS,
            {
                "tenant": tenant_id,
                "since": uuid7_first(since),
                "until": uuid7_first(until),
                "attributes": list(ATTRIBUTES),
            },
        )
        for group, name, count in cursor.fetchall():
            if group in ATTRIBUTES:
                counts["drawn"][group][name] = count
            else:
                counts[group][name] = count  # type: ignore[literal-required]
    return counts
