"""`manage.py labels_export FOLDER`: what people decided, as labels for the training of heads."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.models import User
from desk.labels import PICTURES, TABLE, labels_export
from jobs.storage import StorageError


class Command(BaseCommand):
    help = "Write reviewed pictures and a label per person into a new folder, as originals."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="does not exist yet")
        parser.add_argument(
            "--by", required=True, metavar="NAME", help="who takes them out: it goes into the log"
        )
        parser.add_argument("--since", metavar="YYYY-MM-DD", help="decided on that day or later")

    def handle(self, *args: Any, folder: Path, by: str, since: str | None, **options: Any) -> None:
        user, first = User.objects.filter(username=by).first(), _day(since)
        if user is None:
            raise CommandError(f"--by {by}: nobody has that name; give the one you sign in with")
        try:
            count = labels_export(folder, by=user, since=first)
        except FileExistsError as error:
            raise CommandError(f"{folder}: choose a folder that does not exist") from error
        except StorageError as error:
            raise CommandError(f"a picture cannot be read: {error}") from error
        self.stdout.write(
            f"{count} labels; train with: python -m ethical_lens.training.heads "
            f"--pictures {folder / PICTURES} --labels {folder / TABLE}"
        )


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--since {text}: write it as 2026-01-31")
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
