"""`manage.py two_factor_reseal`: before a key leaves `SECRET_KEY_FALLBACKS`."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.two_factor import factors_reseal


class Command(BaseCommand):
    help = "Seals the secrets of second factors under SECRET_KEY, where an older key sealed them."

    def handle(self, *args: Any, **options: Any) -> None:
        resealed, broken = factors_reseal()
        self.stdout.write(f"{resealed} sealed anew.")
        if broken:
            names = ", ".join(broken)
            self.stderr.write(f"No key opens those of: {names}. They enrol anew: two_factor_reset.")
