"""What happens to a job is numbered and told by triggers, whoever does it."""

import django.db.models.deletion
from django.db import migrations, models

# The job is locked by whoever moves it, or here: so numbers have no gaps and none comes twice.
FORWARD = """
CREATE FUNCTION job_event_write(job uuid, new_status text, new_reason text, decision uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO jobs_jobevent (job_id, sequence, status, reason, decision_id, created_at)
    SELECT job, coalesce(max(sequence), 0) + 1, new_status, new_reason, decision, clock_timestamp()
    FROM jobs_jobevent WHERE job_id = job;
    PERFORM pg_notify('job', job::text);
END $$;

CREATE FUNCTION job_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM job_event_write(NEW.id, NEW.status, NEW.reason, NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER moves_are_told AFTER UPDATE OF status ON jobs_job FOR EACH ROW
    WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION job_moved();

CREATE FUNCTION job_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs_job WHERE id = NEW.job_id FOR NO KEY UPDATE;
    PERFORM job_event_write(NEW.job_id, '', NEW.reason, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER decisions_are_told AFTER INSERT ON moderation_decision FOR EACH ROW
    EXECUTE FUNCTION job_decided();
"""
BACKWARD = """
DROP TRIGGER moves_are_told ON jobs_job; DROP FUNCTION job_moved();
DROP TRIGGER decisions_are_told ON moderation_decision; DROP FUNCTION job_decided();
DROP FUNCTION job_event_write(uuid, text, text, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0006_in_flight_of_key"),
        ("moderation", "0004_one_index_per_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "job_id", "sequence",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log",
                        to="jobs.job",
                    ),
                ),
                ("sequence", models.PositiveSmallIntegerField()),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("queued", "Queued"), ("aligning", "Aligning"),
                            ("generating", "Generating"), ("scrutinising", "Scrutinising"),
                            ("needs_review", "Needs Review"), ("succeeded", "Succeeded"),
                            ("blocked", "Blocked"), ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=64)),
                (
                    "decision",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="moderation.decision",
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="job",
            name="cancel_at",
            field=models.DateTimeField(
                help_text="canceled then, unless it has ended", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(cancel_at__isnull=False, ended_at__isnull=True),
                fields=["cancel_at"],
                name="job_to_cancel",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
