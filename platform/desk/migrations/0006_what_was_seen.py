import django.db.models.deletion
from django.db import migrations, models

# Of what was chosen before: the newest version that there was by then.
_SEEN = """
UPDATE desk_choice choice SET version_id = (
    SELECT version.id FROM jobs_pictureversion version
    JOIN desk_reviewitem item ON item.picture_id = version.picture_id
    WHERE item.id = choice.item_id AND version.created_at <= choice.chosen_at
    ORDER BY version.id DESC LIMIT 1
)
"""


class Migration(migrations.Migration):

    dependencies = [
        ("desk", "0005_counting_by_kind"),
        ("jobs", "0015_erased"),
    ]

    operations = [
        migrations.AddField(
            model_name="choice",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                help_text="what the picture looked like when this was chosen",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.pictureversion",
            ),
        ),
        migrations.RunSQL(_SEEN, migrations.RunSQL.noop),
    ]
