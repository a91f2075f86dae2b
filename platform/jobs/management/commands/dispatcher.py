"""`manage.py dispatcher`: relays the outbox, admits jobs, starts due webhook deliveries, and
brings back what was lost on the way."""

import logging
import signal
import time
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from kombu.exceptions import OperationalError as BrokerUnavailable

from config.listening import listener_parameters
from jobs.dispatch import dispatch_once
from jobs.outbox import WAKE_CHANNEL
from jobs.reconcile import reconcile
from webhooks.dispatch import deliveries_dispatch

logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
GATHER_SECONDS = 0.04
"""Under load what comes within this time is sent together; an idle dispatcher sends at once."""
AWAY_SECONDS = 1.0


class Command(BaseCommand):
    help = "Sends waiting jobs and due webhooks to the broker; two of it may run."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self.stopping:
            try:
                self._serve()
            except (DatabaseError, psycopg.Error) as error:
                logger.warning("database away, trying again: %s", error)
                connection.close()
                self._pause()

    def _serve(self) -> None:
        """Listen and dispatch until the database goes away or the process is to stop."""
        with psycopg.connect(**listener_parameters()) as listener:
            listener.execute(f"LISTEN {WAKE_CHANNEL}")
            logger.info("dispatcher listens")
            reconcile_at = time.monotonic()
            while not self.stopping:
                if time.monotonic() >= reconcile_at:
                    reconcile_at = time.monotonic() + settings.ENVIRONMENT.reconcile_seconds
                    reconcile()
                try:
                    busy = dispatch_once() + deliveries_dispatch()
                except BrokerUnavailable as error:
                    logger.warning("broker away, nothing is lost: %s", error)
                    self._pause()
                    continue
                if busy:
                    time.sleep(GATHER_SECONDS)
                else:
                    self._wait(listener)

    def _wait(self, listener: psycopg.Connection) -> None:
        """Sleep until something was committed or a second is over."""
        for _ in listener.notifies(timeout=IDLE_SECONDS, stop_after=1):
            pass

    def _pause(self) -> None:
        signal.sigtimedwait([], AWAY_SECONDS)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True
