"""A foreign key with which another index begins needs none of its own: writes would keep both.

By name: Django's own `AlterField` would also take the unique constraints on that one column.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
DROP INDEX IF EXISTS jobs_job_tenant_id_47fdbf2d;
DROP INDEX IF EXISTS jobs_picture_job_id_5bc9fb7f;
DROP INDEX IF EXISTS jobs_pictureversion_picture_id_ac00046f;
DROP INDEX IF EXISTS jobs_stagerun_job_id_7b41f561;
"""
BACKWARD = """
CREATE INDEX IF NOT EXISTS jobs_job_tenant_id_47fdbf2d ON jobs_job (tenant_id);
CREATE INDEX IF NOT EXISTS jobs_picture_job_id_5bc9fb7f ON jobs_picture (job_id);
CREATE INDEX IF NOT EXISTS jobs_pictureversion_picture_id_ac00046f ON jobs_pictureversion (picture_id);
CREATE INDEX IF NOT EXISTS jobs_stagerun_job_id_7b41f561 ON jobs_stagerun (job_id);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_initial"), ("jobs", "0004_released_means_judged")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.AlterField(
                    model_name="job",
                    name="tenant",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="accounts.tenant",
                    ),
                ),
                migrations.AlterField(
                    model_name="picture",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="jobs.job",
                    ),
                ),
                migrations.AlterField(
                    model_name="pictureversion",
                    name="picture",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="jobs.picture",
                    ),
                ),
                migrations.AlterField(
                    model_name="stagerun",
                    name="job",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stages",
                        to="jobs.job",
                    ),
                ),
            ],
        ),
    ]
