"""The permissions to decide and to look at raw pictures, and the group of those who moderate.

Permissions are normally made after all migrations have run; they are made here already, as the
same rows, so that the group has them on a fresh database.
"""

from django.db import migrations

GROUP = "Moderators"
PERMISSIONS = (
    ("jobs", "job", "view_job", "Can view job"),
    ("jobs", "picture", "view_picture", "Can view picture"),
    ("moderation", "decision", "view_decision", "Can view decision"),
    ("moderation", "decision", "decide", "Can release and block pictures and prompts"),
    ("moderation", "policy", "view_policy", "Can view policy"),
    ("moderation", "policyversion", "view_policyversion", "Can view policy version"),
    (
        "moderation", "rawpictureview", "view_raw_picture",
        "Can look at pictures that are not released",
    ),
)  # fmt: skip


def make_group(apps, schema_editor):
    database = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    group, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=GROUP)
    for app, model, codename, name in PERMISSIONS:
        content_type, _ = content_types.get_or_create(app_label=app, model=model)
        permission, _ = permissions.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0002_append_only"),
        ("jobs", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="decision",
            options={
                "ordering": ["id"],
                "permissions": [("decide", "Can release and block pictures and prompts")],
            },
        ),
        migrations.AlterModelOptions(
            name="rawpictureview",
            options={
                "permissions": [("view_raw_picture", "Can look at pictures that are not released")]
            },
        ),
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
