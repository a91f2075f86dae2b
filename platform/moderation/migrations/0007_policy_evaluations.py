"""Reports of evaluations hang on versions of policies, and are append-only like them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.identifiers

TRIGGERS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON moderation_policyevaluation
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON moderation_policyevaluation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NO_TRIGGERS = """
DROP TRIGGER append_only ON moderation_policyevaluation;
DROP TRIGGER append_only_truncate ON moderation_policyevaluation;
"""


def let_moderators_see(apps, schema_editor):
    database = schema_editor.connection.alias
    content_type, _ = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(database)
        .get_or_create(app_label="moderation", model="policyevaluation")
    )
    permission, _ = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(
            content_type=content_type,
            codename="view_policyevaluation",
            defaults={"name": "Can view policy evaluation"},
        )
    )
    apps.get_model("auth", "Group").objects.using(database).get(
        name="Moderators"
    ).permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0006_decision_faces"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyEvaluation",
            fields=[
                ("id", models.UUIDField(default=config.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ("run", models.CharField(help_text="its folder in EVALUATIONS_FOLDER", max_length=64)),
                ("sha256", models.CharField(help_text="of the report's tables.json", max_length=64)),
                ("report", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attached_by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("policy_version", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="evaluations", to="moderation.policyversion")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("policy_version", "sha256"), name="report_attached_once")],
            },
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.RunPython(let_moderators_see, migrations.RunPython.noop),
    ]
