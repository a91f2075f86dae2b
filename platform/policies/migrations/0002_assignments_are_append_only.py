"""Which version a tenant was judged by is never rewritten: kept by triggers.

Of an assignment one thing may change: before it begins, it is withdrawn.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refuse_changed_assignment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL AND OLD.starts_at > clock_timestamp()
       AND to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_by_id'
         = to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_by_id'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation',
              HINT = 'Before it begins it can be withdrawn; afterwards give the tenant another.';
END $$;
CREATE TRIGGER append_only_update BEFORE UPDATE ON policies_policyassignment
    FOR EACH ROW EXECUTE FUNCTION refuse_changed_assignment();
CREATE TRIGGER append_only BEFORE DELETE ON policies_policyassignment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON policies_policyassignment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
BACKWARD = """
DROP TRIGGER append_only_update ON policies_policyassignment;
DROP TRIGGER append_only ON policies_policyassignment;
DROP TRIGGER append_only_truncate ON policies_policyassignment;
DROP FUNCTION refuse_changed_assignment();
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial"), ("moderation", "0002_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
