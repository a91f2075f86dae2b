"""`manage.py decisions_export SINCE UNTIL`: the record of a time, to standard output."""

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Tenant
from moderation.decision_export import FORMATS, ExportRange, export_text


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-01 or 2026-11-01T12:00+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Writes the decisions of a time, with their statements of reasons, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("since", type=_moment, help="first moment; UTC where no zone is named")
        parser.add_argument("until", type=_moment, help="up to before this moment")
        parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl")
        parser.add_argument("--tenant", help="slug; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until, slug = options["since"], options["until"], options["tenant"]
        if since >= until:
            raise CommandError("SINCE must come before UNTIL.")
        tenant = Tenant.objects.filter(slug=slug).first() if slug else None
        if slug and tenant is None:
            raise CommandError(f"There is no tenant with the slug {slug!r}.")
        range = ExportRange(since, until, tenant.id if tenant else None)
        for piece in export_text(range, FORMATS[options["format"]]):
            self.stdout.write(piece, ending="")
