"""`manage.py evaluation_share NAME`: have workers go on with a prepared run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.celery import app
from moderation.evaluations import ReportMissing, run_folder

QUEUE = "evaluate"


class Command(BaseCommand):
    help = "Has so many workers of the queue `evaluate` do what is left of a run, piece by piece."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the run's folder in EVALUATIONS_FOLDER")
        parser.add_argument("--workers", type=int, default=1, help="at once; default: 1")

    def handle(self, *args: Any, **options: Any) -> None:
        name, workers = options["name"], options["workers"]
        try:
            run_folder(name)
        except ReportMissing as error:
            raise CommandError(str(error)) from error
        for _ in range(workers):
            app.send_task("workers.evaluate", (name,), queue=QUEUE)
        self.stdout.write(f"Sent {workers} messages to go on with {name}.")
