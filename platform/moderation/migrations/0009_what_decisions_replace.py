"""A decision may name the one it replaces: an earlier one on the same job, kept by a trigger."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION decision_replaces_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM moderation_decision WHERE id = NEW.replaces_id AND job_id = NEW.job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a decision replaces an earlier one on its own job'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER replaces_its_own BEFORE INSERT ON moderation_decision FOR EACH ROW
    WHEN (NEW.replaces_id IS NOT NULL) EXECUTE FUNCTION decision_replaces_its_own();
"""
BACKWARD = """
DROP TRIGGER replaces_its_own ON moderation_decision; DROP FUNCTION decision_replaces_its_own();
"""


class Migration(migrations.Migration):
    dependencies = [("moderation", "0008_reports")]

    operations = [
        migrations.AlterModelOptions(
            name="decision",
            options={
                "ordering": ["id"],
                "permissions": [
                    ("decide", "Can release and block pictures and prompts"),
                    ("export_decisions", "Can export decisions"),
                ],
            },
        ),
        migrations.AddField(
            model_name="decision",
            name="replaces",
            field=models.ForeignKey(
                db_index=False,
                help_text="the decision on the same job that holds no longer because of this one",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="moderation.decision",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(replaces__isnull=False),
                fields=["replaces"],
                name="decision_replacing",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
