"""A job at its end never changes its status again, whoever writes: kept by a trigger."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_leaving_an_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job % is % and stays so', OLD.id, OLD.status
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ends_are_final BEFORE UPDATE OF status ON jobs_job FOR EACH ROW
    WHEN (OLD.status IN ('succeeded', 'blocked', 'failed', 'canceled')
          AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION refuse_leaving_an_end();
"""
BACKWARD = "DROP TRIGGER ends_are_final ON jobs_job; DROP FUNCTION refuse_leaving_an_end();"


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
