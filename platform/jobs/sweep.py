"""What is left behind goes: objects that no row knows, because a worker died between storing and
recording, and the health rows of workers long gone."""

import logging
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Picture, PictureVersion, SentPicture, Worker
from jobs.storage import QUARANTINE, RELEASED, object_delete, objects_list

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=24)
"""Longer than any stage may take, so that nothing under way is swept."""
PAGE = 500
WORKER_ROWS_KEPT = timedelta(days=1)


def workers_forget() -> None:
    """Delete the rows of workers that fell silent a day ago."""
    Worker.objects.filter(seen_at__lt=timezone.now() - WORKER_ROWS_KEPT).delete()


def orphans_sweep(*, grace: timedelta = GRACE) -> int:
    """Delete objects older than `grace` that no picture names. How many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('sweep'))")
        if not cursor.fetchone()[0]:
            return 0  # one is under way
        try:
            return _sweep(QUARANTINE, grace) + _sweep(RELEASED, grace)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('sweep'))")


def _sweep(prefix: str, grace: timedelta) -> int:
    before, swept = timezone.now() - grace, 0
    page: list[str] = []
    for key, changed in objects_list(prefix):
        if changed < before:
            page.append(key)
        if len(page) == PAGE:
            swept += _sweep_page(prefix, page)
            page = []
    return swept + _sweep_page(prefix, page)


def _sweep_page(prefix: str, keys: list[str]) -> int:
    known: QuerySet[Any, str]
    if prefix == RELEASED:
        known = Picture.objects.filter(released_key__in=keys).values_list("released_key", flat=True)
    else:
        painted = PictureVersion.objects.filter(key__in=keys).values_list("key", flat=True)
        # Said twice, so that the planner knows the partial index.
        sent = SentPicture.objects.filter(key__in=keys).exclude(key="")
        known = painted.union(sent.values_list("key", flat=True))
    orphans = set(keys) - set(known)
    for key in orphans:
        object_delete(key)
        logger.info("swept %s", key)
    return len(orphans)
