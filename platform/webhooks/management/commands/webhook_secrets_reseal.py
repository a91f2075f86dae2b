"""`manage.py webhook_secrets_reseal`: before a key leaves `SECRET_KEY_FALLBACKS`."""

from typing import Any

from django.core.management.base import BaseCommand

from webhooks.endpoints import secrets_reseal


class Command(BaseCommand):
    help = (
        "Seals the secrets of webhook endpoints under SECRET_KEY, where an older key sealed them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resealed, broken = secrets_reseal()
        self.stdout.write(f"{resealed} sealed anew.")
        if broken:
            names = ", ".join(f"{endpoint.pk} ({endpoint})" for endpoint in broken)
            self.stderr.write(
                f"No key opens those of: {names}. Rotate them: nothing is sent there."
            )
