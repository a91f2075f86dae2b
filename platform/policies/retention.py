"""What is over is erased after the time that its policy keeps it: pictures, and what people wrote.

What was decided, and why, stays: statuses, labels, scores, findings, draws, digests and decisions.
"""

import logging
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from desk.models import Choice, ReviewItem
from ethical_lens.results import ClusterType
from jobs.models import Job, Picture, PictureVersion, SentPicture
from jobs.storage import StorageError, StorageUnavailable, object_delete
from moderation.models import Appeal, PolicyVersion, Report

logger = logging.getLogger(__name__)

ERASED: Final = "[erased]"
"""What stands where something must: a verdict's prompt, a name, an address."""
SLICE: Final = 100
RUN_SECONDS: Final = 600.0


def jobs_erase(*, seconds: float = RUN_SECONDS) -> int:
    """Erase the jobs whose time is over, oldest first, in slices, for so long at most; the next
    run goes on. How many.

    A job of which the object store refuses to delete something is left as it was, but for objects
    that are gone already, is told in the log of errors, and comes again in the next run. Raises
    `jobs.storage.StorageUnavailable` where the store does not answer at all.
    """
    until, erased, refused = time.monotonic() + seconds, 0, set[UUID]()
    kept_for_a_time = PolicyVersion.objects.filter(document__retention_days__gt=0)
    for version in kept_for_a_time.order_by("id"):
        days = version.parsed.retention_days
        assert days is not None, "by the filter"
        while time.monotonic() < until:
            due = list(_due(version, days).exclude(pk__in=refused)[:SLICE])
            done = [job_id for job_id in due if _erased(job_id, refused)]
            erased += len(done)
            if len(done) + len(refused.intersection(due)) < SLICE:
                break  # no more is due, or another run is at it
    if erased:
        logger.info("erased %s jobs after the time of their policy", erased)
    return erased


def _erased(job_id: UUID, refused: set[UUID]) -> bool:
    """Whether it is erased; one of which something cannot be deleted joins the `refused`."""
    try:
        return job_erase(job_id=job_id)
    except StorageUnavailable:
        raise
    except StorageError as error:
        logger.error("job %s is not erased, though its time is over: %s", job_id, error)
        refused.add(job_id)
        return False


def job_erase(*, job_id: UUID) -> bool:
    """Delete the objects of a job that has ended, and empty its texts. Whether it was there to be
    erased: not where something of it is still asked, or another does it.

    Objects go first, while the job is locked: nothing says that they are gone while they are not.
    """
    with transaction.atomic():
        locked = Job.objects.select_for_update(of=("self",), skip_locked=True)
        job = locked.filter(pk=job_id, erased_at=None, ended_at__isnull=False).first()
        if job is None or not _settled(Job.objects.filter(pk=job_id)).exists():
            return False
        for key in _keys(job):
            object_delete(key)
        PictureVersion.objects.filter(picture__job=job).update(prompt="")
        Picture.objects.filter(job=job).update(prompt="")
        Choice.objects.filter(item__job=job).update(prompt="")
        sent = SentPicture.objects.filter(job=job)
        sent.exclude(key="").update(url="")
        sent.filter(key="").update(url=ERASED)  # was never fetched; a row has the one or the other
        job.prompt = job.negative_prompt = ""
        job.text_verdict = job.text_verdict and _without_words(job.text_verdict)
        job.erased_at = timezone.now()
        job.save(update_fields=["prompt", "negative_prompt", "text_verdict", "erased_at"])
    return True


def _due(version: PolicyVersion, days: int) -> QuerySet[Job, UUID]:
    over = Job.objects.filter(
        policy_version=version, ended_at__lt=timezone.now() - timedelta(days=days), erased_at=None
    )
    return _settled(over).order_by("ended_at").values_list("pk", flat=True)


def _settled(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Those of which nothing waits for a person: neither an appeal, nor a report, nor a look."""
    of_job = {"job": OuterRef("pk")}
    return jobs.exclude(
        Exists(Appeal.objects.filter(**of_job, answer=None))
        | Exists(ReviewItem.objects.filter(**of_job, closed_at=None))
        | Exists(Report.objects.filter(picture__job=OuterRef("pk"), answer=None))
    )


def _keys(job: Job) -> list[str]:
    painted = PictureVersion.objects.filter(picture__job=job).values_list("key", flat=True)
    released = job.pictures.exclude(released_key="").values_list("released_key", flat=True)
    sent = job.sent.exclude(key="").values_list("key", flat=True)
    return [*painted, *released, *sent]


def _without_words(verdict: dict[str, Any]) -> dict[str, Any]:
    """The verdict as it can still be read, without what was written or named."""
    return verdict | {
        "prompt": ERASED,
        "negative_prompt": "",
        "edits": [],
        "negative_edits": [],
        "figures": [ERASED] * bool(verdict.get("figures")),
        # Which kinds of people were drawn is what fairness is counted by.
        "clusters": [_nameless(cluster) for cluster in verdict.get("clusters", [])],
    }


def _nameless(cluster: dict[str, Any]) -> dict[str, Any]:
    named = cluster["type"] == ClusterType.NAMED
    return cluster | {"start": 0, "end": 1} | ({"kind": ERASED} if named else {})
