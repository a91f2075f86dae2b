from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0005_appeals"),
    ]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="faces",
            field=models.JSONField(
                default=list,
                help_text="the faces that were read: ethical_lens.results.ReadFace as JSON",
            ),
        ),
    ]
