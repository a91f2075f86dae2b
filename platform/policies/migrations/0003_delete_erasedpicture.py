from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_assignments_are_append_only"), ("jobs", "0015_erased")]

    operations = [migrations.DeleteModel(name="ErasedPicture")]
