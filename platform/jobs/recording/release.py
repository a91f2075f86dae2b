"""What `release` reads and writes: the second of its two transactions.

The first was the verdict: a picture is copied only where `cleared_by` names the decision that
lets it out. A moderator's release waits until the time for undo is over.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from jobs.claims import Claim, Onward, stage_finish
from jobs.ending import job_settle
from jobs.models import Job, Picture
from jobs.services import release_schedule
from jobs.states import PictureStatus
from moderation.models import DecisionAction

_LEAVING = [PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW]


def pictures_to_release(job_id: UUID) -> QuerySet[Picture]:
    """The cleared pictures whose time has come."""
    undo = timedelta(seconds=settings.ENVIRONMENT.moderator_undo_seconds)
    return _cleared(job_id).filter(
        Q(cleared_by__actor=None) | Q(cleared_by__created_at__lte=timezone.now() - undo)
    )


def release_finish(*, claim: Claim, released: Mapping[UUID, str]) -> bool:
    """Record which pictures are out, by picture id and released key, and settle the job."""

    def record(job: Job) -> Onward:
        now = timezone.now()
        for picture_id, key in released.items():
            job.pictures.filter(pk__in=_cleared(job.id), id=picture_id).update(
                status=PictureStatus.RELEASED, released_key=key, released_at=now
            )
        job.pictures.filter(status=PictureStatus.QUARANTINED, cleared_by=None).update(
            status=PictureStatus.IN_REVIEW, reason="no_verdict"
        )
        job_settle(job=job)
        if job.ended_at is None and _cleared(job.id).exists():
            release_schedule(job=job, delay=settings.ENVIRONMENT.moderator_undo_seconds)
        return Onward.STOP

    return stage_finish(claim=claim, record=record)


def _cleared(job_id: UUID) -> QuerySet[Picture]:
    """Pictures that a decision lets out: one of release, on that picture, as it now is."""
    return Picture.objects.filter(
        job=job_id,
        status__in=_LEAVING,
        cleared_by__picture=F("pk"),
        cleared_by__action=DecisionAction.RELEASE,
        cleared_by__object_digest=F("current__sha256"),
    )
