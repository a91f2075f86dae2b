from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0014_retouched"),
        ("moderation", "0011_inspection"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="erased_at",
            field=models.DateTimeField(
                help_text="its pictures and texts are gone, after the time its policy keeps them",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False), ("erased_at__isnull", True)),
                fields=["policy_version", "ended_at"],
                name="job_to_erase",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True),
                    models.Q(("ended_at__isnull", False), ("negative_prompt", ""), ("prompt", "")),
                    _connector="OR",
                ),
                name="what_is_erased_has_ended",
            ),
        ),
    ]
