from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("desk", "0004_near_pictures_and_repairs"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="reviewitem",
            name="review_waiting",
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)),
                fields=["kind", "rank"],
                name="review_waiting",
            ),
        ),
    ]
