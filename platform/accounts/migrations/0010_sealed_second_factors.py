"""Secrets of second factors are sealed, recovery codes become keyed digests.

Going back opens the secrets; recovery codes cannot be had back and are worth nothing then.
"""

from django.db import migrations

from accounts.devices import app_key_open, app_key_seal, recovery_code_digest
from config.sealing import MARK


def seal_all(apps, schema_editor):
    devices = apps.get_model("otp_totp", "TOTPDevice").objects
    for device in devices.exclude(key__startswith=MARK).iterator():
        device.key = app_key_seal(device.key, user_id=device.user_id)
        device.save(update_fields=["key"])
    for token in apps.get_model("otp_static", "StaticToken").objects.select_related("device"):
        token.token = recovery_code_digest(token.token, user_id=token.device.user_id)
        token.save(update_fields=["token"])


def open_all(apps, schema_editor):
    devices = apps.get_model("otp_totp", "TOTPDevice").objects
    for device in devices.filter(key__startswith=MARK).iterator():
        device.key = app_key_open(device.key, user_id=device.user_id).hex()
        device.save(update_fields=["key"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_log_is_append_only"),
        ("otp_static", "0003_add_timestamps"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppDevice",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.CreateModel(
            name="RecoveryDevice",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("otp_static.staticdevice",),
        ),
        migrations.RunPython(seal_all, open_all),
    ]
