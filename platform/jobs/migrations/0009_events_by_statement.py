"""Events of jobs are written once per statement, for all its rows: a batch of jobs costs one."""

from django.db import migrations

DROP = """
DROP TRIGGER moves_are_told ON jobs_job;
DROP TRIGGER decisions_are_told ON moderation_decision;
"""

# The jobs are locked by whoever moves them, or here: so numbers have no gaps and none comes twice.
FORWARD = """
DROP FUNCTION job_moved(); DROP FUNCTION job_decided();
DROP FUNCTION job_event_write(uuid, text, text, uuid);

CREATE FUNCTION jobs_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO jobs_jobevent (job_id, sequence, status, reason, created_at)
    SELECT id, 1 + coalesce((SELECT max(sequence) FROM jobs_jobevent WHERE job_id = moved.id), 0),
           moved.status, moved.reason, clock_timestamp()
    FROM moved JOIN former USING (id) WHERE moved.status <> former.status;
    IF FOUND THEN
        PERFORM pg_notify('job', id::text)
        FROM moved JOIN former USING (id) WHERE moved.status <> former.status;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER moves_are_told AFTER UPDATE ON jobs_job
    REFERENCING OLD TABLE AS former NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_moved();

CREATE FUNCTION jobs_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs_job WHERE id IN (SELECT job_id FROM decided) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO jobs_jobevent (job_id, sequence, status, reason, decision_id, created_at)
    SELECT d.job_id,
           coalesce((SELECT max(sequence) FROM jobs_jobevent e WHERE e.job_id = d.job_id), 0)
           + row_number() OVER (PARTITION BY d.job_id ORDER BY d.id),
           '', d.reason, d.id, clock_timestamp()
    FROM decided d;
    PERFORM pg_notify('job', job_id::text) FROM decided;
    RETURN NULL;
END $$;
CREATE TRIGGER decisions_are_told AFTER INSERT ON moderation_decision
    REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION jobs_decided();
"""

BACKWARD = """
DROP FUNCTION jobs_moved(); DROP FUNCTION jobs_decided();

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


class Migration(migrations.Migration):
    dependencies = [("jobs", "0008_lora")]

    operations = [migrations.RunSQL(DROP + FORWARD, DROP + BACKWARD)]
