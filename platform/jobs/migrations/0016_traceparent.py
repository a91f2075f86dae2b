from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0015_erased"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="traceparent",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the trace that it was submitted in",
                max_length=55,
            ),
        ),
    ]
