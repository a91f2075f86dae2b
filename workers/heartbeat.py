"""A thread with its own database connection that speaks for the worker process.

It renews the leases of what is being worked on, writes the health row, and ends the process when
a stage runs past its hard deadline: a solo worker answers no ping and ignores Celery's time
limits, and a hanging GPU call cannot be interrupted otherwise. The lease then expires and the
stage is tried elsewhere.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from jobs.claims import Claim, leases_renew
from jobs.models import Worker

logger = logging.getLogger(__name__)

DEADLINE_EXIT_CODE = 70
"""EX_SOFTWARE: whoever supervises the process starts it again."""


class Heartbeat:
    """The beat of one worker process; `start` it once, then `watch` claims while they are held."""

    def __init__(self) -> None:
        self.name = "unnamed"
        self._queues: Sequence[str] = ()
        self._ready = False
        self._load_seconds: dict[str, float] = {}
        self._claims: dict[Claim, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, name: str, queues: Sequence[str]) -> None:
        """Write the first health row and begin to beat."""
        self.name, self._queues = name, queues
        self._write_row()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()
        # In a thread of its own: a database that hangs must not hold up the deadlines.
        threading.Thread(target=self._watch_deadlines, name="deadlines", daemon=True).start()

    def models_loaded(self, load_seconds: dict[str, float], *, ready: bool) -> None:
        """Tell how long each model took, and whether the worker can work."""
        self._load_seconds, self._ready = load_seconds, ready
        self._write_row()

    def stop(self) -> None:
        """Stop beating and take the health row away: the worker has left in good order."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        Worker.objects.filter(name=self.name).delete()

    def watch(self, claims: Iterable[Claim]) -> None:
        """Keep these claims alive from now on."""
        with self._lock:
            self._claims.update(dict.fromkeys(claims, time.monotonic()))

    def unwatch(self, claims: Iterable[Claim]) -> None:
        """Let go of these claims."""
        with self._lock:
            for claim in claims:
                self._claims.pop(claim, None)

    def _run(self) -> None:
        while not self._stop.wait(settings.ENVIRONMENT.heartbeat_seconds):
            try:
                with self._lock:
                    held = list(self._claims)
                leases_renew(held)
                self._write_row()
            except DatabaseError as error:
                logger.warning("heartbeat missed, the database is away: %s", error)
                connection.close()
        connection.close()

    def _watch_deadlines(self) -> None:
        while not self._stop.wait(1.0):
            self._check_deadlines()

    def _check_deadlines(self) -> None:
        limit = settings.ENVIRONMENT.stage_deadline_seconds
        with self._lock:
            late = [c for c, since in self._claims.items() if time.monotonic() - since > limit]
        if late:
            logger.critical(
                "past the deadline of %g s, this process ends: %s",
                limit,
                ", ".join(f"{claim.stage.name.value} of job {claim.job_id}" for claim in late),
            )
            logging.shutdown()
            os._exit(DEADLINE_EXIT_CODE)

    def _write_row(self) -> None:
        Worker.objects.update_or_create(
            name=self.name,
            defaults={
                "queues": list(self._queues),
                "ready": self._ready,
                "load_seconds": self._load_seconds,
                "running": len(self._claims),
                "seen_at": timezone.now(),
            },
        )


HEARTBEAT = Heartbeat()
"""The one of this process."""
