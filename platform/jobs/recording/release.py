"""What `release` reads and writes: the second of its two transactions.

The first was the verdict: a picture is copied only where `cleared_by` names the decision that
lets it out. A moderator's release waits until the time for undo is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from config.rows import rows_read, rows_update
from desk.entering import released_enter
from jobs.claims import Claim, Onward, stage_finish
from jobs.ending import job_settle
from jobs.models import Job, Picture
from jobs.services import release_schedule
from jobs.states import PictureStatus

# `decision` is the one that lets the picture out: of release, on that picture, as it now is. What
# was chosen at the desk is recorded when its time for undo is over.
_PICTURES = """
SELECT picture.id, picture.status, version.key, version.sha256,
       decision.created_at,
       decision.actor_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM desk_choice WHERE decision_id = decision.id)
FROM jobs_picture picture
LEFT JOIN jobs_pictureversion version ON version.id = picture.current_id
LEFT JOIN moderation_decision decision
  ON decision.id = picture.cleared_by_id AND decision.picture_id = picture.id
 AND decision.action = 'release' AND decision.object_digest = version.sha256
WHERE picture.job_id = %s ORDER BY picture.index
"""


@dataclass(frozen=True, slots=True)
class ReleaseCandidate:
    """A picture of a job at its release; `cleared_at` is when the decision that lets it out was
    made, None without one."""

    id: UUID
    status: str
    key: str
    sha256: str
    cleared_at: datetime | None
    by_moderator: bool

    @property
    def undecided(self) -> bool:
        """Whether it is neither out nor stopped."""
        return self.status in {PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW}


def pictures_to_release(job_id: UUID) -> list[ReleaseCandidate]:
    """The cleared pictures whose time has come."""
    undo = timedelta(seconds=settings.ENVIRONMENT.moderator_undo_seconds)
    return [
        picture
        for picture in _pictures(job_id)
        if picture.undecided
        and picture.cleared_at is not None
        and (not picture.by_moderator or picture.cleared_at <= timezone.now() - undo)
    ]


def release_finish(*, claim: Claim, released: Mapping[UUID, str]) -> bool:
    """Record which pictures are out, by picture id and released key, and settle the job."""

    def record(job: Job) -> None:
        out, doubtful, statuses = [], [], []
        not_due, now = False, timezone.now()
        for picture in _pictures(job.id):
            status = picture.status
            if not picture.undecided:
                pass
            elif picture.cleared_at is None:
                if status == PictureStatus.QUARANTINED:
                    status = PictureStatus.IN_REVIEW.value
                    doubtful.append(Picture(id=picture.id, status=status, reason="no_verdict"))
            elif picture.id in released:
                status = PictureStatus.RELEASED.value
                out.append(
                    Picture(
                        id=picture.id,
                        status=status,
                        released_key=released[picture.id],
                        released_at=now,
                    )
                )
            else:
                not_due = True
            statuses.append(status)
        rows_update(out, "status", "released_key", "released_at")
        rows_update(doubtful, "status", "reason")
        released_enter(job, [picture.id for picture in out])
        job_settle(job=job, statuses=statuses)
        if not_due and job.ended_at is None:
            release_schedule(job=job, delay=settings.ENVIRONMENT.moderator_undo_seconds)

    return stage_finish(claim=claim, record=record, onward=Onward.STOP)


def _pictures(job_id: UUID) -> list[ReleaseCandidate]:
    return rows_read(ReleaseCandidate, _PICTURES, [job_id])
