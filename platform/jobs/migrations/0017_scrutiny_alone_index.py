from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0016_traceparent"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("n", 0)), fields=["tenant", "-id"], name="job_of_scrutiny_alone"
            ),
        ),
    ]
