"""A foreign key with which another index begins needs none of its own: writes would keep both.

By name: Django's own `AlterField` would also take the unique constraints on that one column.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
DROP INDEX IF EXISTS webhooks_event_job_id_74c094ba;
DROP INDEX IF EXISTS webhooks_delivery_event_id_b6f5af91;
"""
BACKWARD = """
CREATE INDEX IF NOT EXISTS webhooks_event_job_id_74c094ba ON webhooks_event (job_id);
CREATE INDEX IF NOT EXISTS webhooks_delivery_event_id_b6f5af91 ON webhooks_delivery (event_id);
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0005_one_index_per_key"), ("webhooks", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.AlterField(
                    model_name="delivery",
                    name="event",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="webhooks.event",
                    ),
                ),
                migrations.AlterField(
                    model_name="event",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="jobs.job",
                    ),
                ),
            ],
        ),
    ]
