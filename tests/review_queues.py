"""Long queues, written by SQL and undone with the test."""

from django.db import connection

from factories import make_job, make_tenant

_PICTURES = """
INSERT INTO jobs_picture (id, job_id, index, status, round, prompt, seed, steps_done, reason,
                          released_key)
SELECT gen_random_uuid(), %(job)s, 10 + n, 'in_review', 1, '', 0, 0, '', ''
FROM generate_series(1, %(count)s) AS n
"""
_ITEMS = """
INSERT INTO desk_reviewitem (id, kind, tenant_id, job_id, picture_id, category, severity, reason,
                             entered_at, due_at, rank, for_lead, closed_to, handed_back_by,
                             prompt_digest, expected)
SELECT gen_random_uuid(), 'sample', %(tenant)s, job_id, id,
       (ARRAY['nude', 'nsfw', 'text', 'error'])[1 + index %% 4], 2, 'sampled',
       now() - make_interval(secs => index), now(), now() - make_interval(secs => index),
       false, '{}', '{}', '', ''
FROM jobs_picture WHERE job_id = %(job)s AND index >= 10
"""
PER_JOB = 25_000


def fill(count: int) -> None:
    """`count` open items in four queues, and statistics for the planner."""
    tenant = make_tenant()
    with connection.cursor() as cursor:
        for start in range(0, count, PER_JOB):
            job = make_job(tenant)
            values = {"job": job.id, "tenant": tenant.id, "count": min(PER_JOB, count - start)}
            cursor.execute(_PICTURES, values)
            cursor.execute(_ITEMS, values)
        cursor.execute("ANALYZE jobs_picture")
        cursor.execute("ANALYZE desk_reviewitem")
