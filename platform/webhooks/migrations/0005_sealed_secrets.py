"""Secrets of endpoints are sealed under `SECRET_KEY`; going back opens them."""

from django.db import migrations, models
from django.db.models import Q

from webhooks.models import secret_open, secret_seal

FIELDS = ("sealed_secret", "sealed_previous_secret")


def _all(change):
    def of_all(apps, schema_editor):
        for endpoint in apps.get_model("webhooks", "Endpoint").objects.iterator():
            for field in FIELDS:
                if value := getattr(endpoint, field):
                    setattr(endpoint, field, change(value, endpoint_id=endpoint.id))
            endpoint.save(update_fields=FIELDS)

    return of_all


seal_all, open_all = _all(secret_seal), _all(secret_open)


def _field(length, *, blank):
    return models.CharField(max_length=length, blank=blank, editable=False)


def _ending(field):
    return models.CheckConstraint(
        condition=Q(**{field: ""}, previous_secret_ends_at__isnull=True)
        | (~Q(**{field: ""}) & Q(previous_secret_ends_at__isnull=False)),
        name="previous_secrets_end",
    )


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_appeals_and_withdrawals")]

    operations = [
        migrations.RemoveConstraint("endpoint", "previous_secrets_end"),
        migrations.RenameField("endpoint", "secret", "sealed_secret"),
        migrations.RenameField("endpoint", "previous_secret", "sealed_previous_secret"),
        migrations.AlterField("endpoint", "sealed_secret", _field(200, blank=False)),
        migrations.AlterField("endpoint", "sealed_previous_secret", _field(200, blank=True)),
        migrations.RunPython(seal_all, open_all),
        migrations.AddConstraint("endpoint", _ending("sealed_previous_secret")),
    ]
