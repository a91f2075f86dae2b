"""A foreign key with which another index begins needs none of its own: writes would keep both.

By name: Django's own `AlterField` would also take the unique constraints on that one column.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
DROP INDEX IF EXISTS moderation_decision_job_id_13bcd32f;
"""
BACKWARD = """
CREATE INDEX IF NOT EXISTS moderation_decision_job_id_13bcd32f ON moderation_decision (job_id);
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0005_one_index_per_key"), ("moderation", "0003_groups")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.AlterField(
                    model_name="decision",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="jobs.job",
                    ),
                ),
            ],
        ),
    ]
