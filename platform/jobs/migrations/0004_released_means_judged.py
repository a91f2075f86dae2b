"""A picture is released only on a decision of release, on that picture, as it was judged.

Kept by a trigger, whoever writes: the promise of this product does not hang on one query.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_unjudged_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM moderation_decision d
        JOIN jobs_pictureversion v ON v.id = NEW.current_id
        WHERE d.id = NEW.cleared_by_id AND d.picture_id = NEW.id
          AND d.action = 'release' AND d.object_digest = v.sha256
    ) THEN
        RAISE EXCEPTION 'picture % has no decision that releases it as it is', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER released_means_judged BEFORE INSERT OR UPDATE ON jobs_picture FOR EACH ROW
    WHEN (NEW.status = 'released') EXECUTE FUNCTION refuse_unjudged_release();
"""
BACKWARD = "DROP TRIGGER released_means_judged ON jobs_picture; DROP FUNCTION refuse_unjudged_release();"


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_ends_are_final"), ("moderation", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
