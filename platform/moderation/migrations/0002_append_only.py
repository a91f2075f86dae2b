"""Decisions, policy versions and raw views are append-only, whoever writes: kept by triggers."""

from django.db import migrations

TABLES = ("moderation_decision", "moderation_policyversion", "moderation_rawpictureview")

FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def trigger(table: str) -> str:
    return f"""
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    """


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION refuse_change();"),
        *(
            migrations.RunSQL(
                trigger(table),
                f"DROP TRIGGER append_only ON {table}; DROP TRIGGER append_only_truncate ON {table};",
            )
            for table in TABLES
        ),
    ]
