import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0009_events_by_statement'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='replay_of',
            field=models.ForeignKey(db_index=False, help_text='the job that this one repeats: seed, policy version and draws are its own', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replays', to='jobs.job'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('replay_of__isnull', False)), fields=['replay_of'], name='job_replays'),
        ),
    ]
