"""`manage.py two_factor_reset`: for somebody who lost both phone and recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.two_factor import is_enrolled, two_factor_remove


class Command(BaseCommand):
    help = "Takes the second factor from a person, who can then sign in by password and enrol anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['username']}.")
        if not is_enrolled(user):
            raise CommandError(f"{user} has no second factor.")
        two_factor_remove(user=user, by=None)
        self.stdout.write(f"{user} signs in by password alone now.")
