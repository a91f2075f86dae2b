"""Items for what waits already."""

from django.db import migrations

# As doubtful ones: they may be of any concept.
ITEMS = """
INSERT INTO desk_reviewitem
    (id, kind, tenant_id, job_id, picture_id, appeal_id, category, severity, reason, entered_at,
     due_at, rank, for_lead, closed_to, handed_back_by)
SELECT gen_random_uuid(), waiting.kind, job.tenant_id, job.id, waiting.picture_id,
       waiting.appeal_id, waiting.category, 2, waiting.reason, now(), now() + interval '8 hours',
       now() + interval '8 hours', false, waiting.closed_to, '{}'
FROM (
    SELECT 'picture' AS kind, picture.job_id, picture.id AS picture_id, NULL::uuid AS appeal_id,
           'error' AS category, picture.reason, '{}'::uuid[] AS closed_to
    FROM jobs_picture picture JOIN jobs_job job ON job.id = picture.job_id
    WHERE job.status = 'needs_review' AND picture.status = 'in_review'
      AND picture.cleared_by_id IS NULL AND picture.current_id IS NOT NULL
    UNION ALL
    SELECT 'prompt', job.id, NULL, NULL, 'text', job.reason, '{}'
    FROM jobs_job job WHERE job.status = 'needs_review' AND NOT EXISTS (
        SELECT FROM jobs_picture WHERE job_id = job.id AND current_id IS NOT NULL
    )
    UNION ALL
    SELECT 'appeal', appeal.job_id, decision.picture_id, appeal.id,
           CASE WHEN decision.picture_id IS NULL THEN 'text' ELSE 'error' END, decision.reason,
           array_remove(ARRAY[decision.actor_id], NULL)
    FROM moderation_appeal appeal JOIN moderation_decision decision
      ON decision.id = appeal.decision_id
    WHERE appeal.answer_id IS NULL
) AS waiting JOIN jobs_job job ON job.id = waiting.job_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0001_initial"),
        ("moderation", "0005_appeals"),
    ]

    operations = [
        migrations.RunSQL(ITEMS, migrations.RunSQL.noop),
    ]
