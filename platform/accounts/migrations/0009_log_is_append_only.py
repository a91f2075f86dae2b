"""What people did in the admin stays written: Django's log is append-only, kept by triggers."""

from django.db import migrations

TRIGGERS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NO_TRIGGERS = """
DROP TRIGGER append_only ON django_admin_log;
DROP TRIGGER append_only_truncate ON django_admin_log;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_priority_limit"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("moderation", "0002_append_only"),
    ]

    operations = [migrations.RunSQL(TRIGGERS, NO_TRIGGERS)]
