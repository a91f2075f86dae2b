"""What `release` reads and writes: the second of its two transactions.

The first was the verdict: a picture is copied only where `cleared_by` names the decision that
lets it out. A moderator's release waits until the time for undo is over.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from jobs.claims import Claim, Onward, stage_finish
from jobs.ending import job_settle
from jobs.models import Job, Picture
from jobs.services import release_schedule
from jobs.states import PictureStatus
from moderation.models import Decision, DecisionAction


def pictures_to_release(job_id: UUID) -> list[Picture]:
    """The cleared pictures whose time has come, with their `current` version."""
    undo = timedelta(seconds=settings.ENVIRONMENT.moderator_undo_seconds)
    return [
        picture
        for picture in _leaving(job_id)
        if (decision := _clearance(picture)) is not None
        and (decision.actor_id is None or decision.created_at <= timezone.now() - undo)
    ]


def release_finish(*, claim: Claim, released: Mapping[UUID, str]) -> bool:
    """Record which pictures are out, by picture id and released key, and settle the job."""

    def record(job: Job) -> Onward:
        not_due = False
        for picture in _leaving(job.id):
            cleared = _clearance(picture) is not None
            if cleared and picture.id in released:
                picture.status = PictureStatus.RELEASED.value
                picture.released_key = released[picture.id]
                picture.released_at = timezone.now()
            elif not cleared and picture.status == PictureStatus.QUARANTINED:
                picture.status, picture.reason = PictureStatus.IN_REVIEW.value, "no_verdict"
            else:
                not_due = not_due or cleared
                continue
            picture.save(update_fields=["status", "reason", "released_key", "released_at"])
        job_settle(job=job)
        if not_due and job.ended_at is None:
            release_schedule(job=job, delay=settings.ENVIRONMENT.moderator_undo_seconds)
        return Onward.STOP

    return stage_finish(claim=claim, record=record)


def _leaving(job_id: UUID) -> QuerySet[Picture]:
    return Picture.objects.filter(
        job=job_id, status__in=[PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW]
    ).select_related("current", "cleared_by")


def _clearance(picture: Picture) -> Decision | None:
    """The decision that lets the picture out: of release, on that picture, as it now is."""
    decision, version = picture.cleared_by, picture.current
    if (
        decision is None
        or version is None
        or decision.picture_id != picture.id
        or decision.action != DecisionAction.RELEASE
        or decision.object_digest != version.sha256
    ):
        return None
    return decision
