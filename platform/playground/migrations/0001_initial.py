"""Trials, and the group of those who may try."""

import config.identifiers
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def make_group(apps, schema_editor):
    database = schema_editor.connection.alias
    content_type, _ = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(database)
        .get_or_create(app_label="playground", model="trial")
    )
    permission, _ = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(
            content_type=content_type, codename="add_trial", defaults={"name": "Can add trial"}
        )
    )
    group, _ = (
        apps.get_model("auth", "Group").objects.using(database).get_or_create(name="Playground")
    )
    group.permissions.add(permission)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("jobs", "0008_lora"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.UUIDField(default=config.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('aligned', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.job')),
                ('as_written', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.job')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', '-id'], name='trial_of_user')],
            },
        ),
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
