"""Bytes of pictures that were not released are deleted after the time their policy keeps them."""

import logging
from datetime import timedelta

from django.utils import timezone

from jobs.models import PictureVersion
from jobs.states import PictureStatus
from jobs.storage import object_delete
from moderation.models import Appeal, PolicyVersion
from policies.models import ErasedPicture

logger = logging.getLogger(__name__)


def unreleased_forget() -> int:
    """Delete what is due, and record it. How many objects.

    The rows, verdicts and decisions stay. Nothing of a job with an open appeal is deleted.
    """
    forgotten = 0
    for version in PolicyVersion.objects.exclude(document__retention_days=None).filter(
        document__has_key="retention_days"
    ):
        days = version.parsed.retention_days
        if days is None:
            continue
        due = PictureVersion.objects.filter(
            picture__job__policy_version=version,
            picture__job__ended_at__lt=timezone.now() - timedelta(days=days),
            erased=None,
        ).exclude(picture__status=PictureStatus.RELEASED)
        appealed = Appeal.objects.filter(answer=None).values("job")
        for picture in due.exclude(picture__job__in=appealed).iterator():
            object_delete(picture.key)
            ErasedPicture.objects.get_or_create(version=picture)
            logger.info("erased %s after %s days", picture.key, days)
            forgotten += 1
    return forgotten
