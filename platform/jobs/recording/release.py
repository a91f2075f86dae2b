"""What `release` reads and writes: the second of its two transactions.

The first was the verdict: a picture is copied only where `cleared_by` names the decision that
lets it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from config.rows import rows_read, rows_update
from desk.entering import released_enter
from jobs.claims import Claim, Onward, stages_finish
from jobs.ending import jobs_settle
from jobs.models import Job, Picture
from jobs.services import release_schedule
from jobs.states import PictureStatus

# `decision` is the one that lets the picture out: of release, on that picture, as it now is.
_PICTURES = """
SELECT picture.job_id, picture.id, picture.status, version.key, version.sha256,
       decision.id IS NOT NULL
FROM jobs_picture picture
LEFT JOIN jobs_pictureversion version ON version.id = picture.current_id
LEFT JOIN moderation_decision decision
  ON decision.id = picture.cleared_by_id AND decision.picture_id = picture.id
 AND decision.action = 'release' AND decision.object_digest = version.sha256
WHERE picture.job_id = ANY(%s) ORDER BY picture.job_id, picture.index
"""


@dataclass(frozen=True, slots=True)
class ReleaseCandidate:
    """A picture of a job at its release; `cleared`: a decision lets it out."""

    job_id: UUID
    id: UUID
    status: str
    key: str
    sha256: str
    cleared: bool

    @property
    def undecided(self) -> bool:
        """Whether it is neither out nor stopped."""
        return self.status in {PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW}


def pictures_to_release(job_ids: Sequence[UUID]) -> list[ReleaseCandidate]:
    """The cleared pictures of the jobs that are not out."""
    return [p for p in _pictures(job_ids) if p.undecided and p.cleared]


def release_finish(released: Mapping[Claim, Mapping[UUID, str]]) -> bool:
    """Record which pictures of each job are out, by picture id and released key, and settle the
    jobs."""

    def record(jobs: Mapping[UUID, Job]) -> None:
        keys = {picture: key for each in released.values() for picture, key in each.items()}
        out, doubtful, cleared_since = [], [], set()
        statuses: dict[UUID, list[str]] = {job_id: [] for job_id in jobs}
        now = timezone.now()
        for picture in _pictures(list(jobs)):
            status = picture.status
            if not picture.undecided:
                pass
            elif not picture.cleared:
                if status == PictureStatus.QUARANTINED:
                    status = PictureStatus.IN_REVIEW.value
                    doubtful.append(Picture(id=picture.id, status=status, reason="no_verdict"))
            elif picture.id in keys:
                status = PictureStatus.RELEASED.value
                out.append(
                    Picture(
                        id=picture.id,
                        job_id=picture.job_id,
                        status=status,
                        released_key=keys[picture.id],
                        released_at=now,
                    )
                )
            else:
                cleared_since.add(picture.job_id)
            statuses[picture.job_id].append(status)
        rows_update(out, "status", "released_key", "released_at")
        rows_update(doubtful, "status", "reason")
        for job in jobs.values():
            released_enter(job, [p.id for p in out if p.job_id == job.id])
        jobs_settle((job, statuses[job.id]) for job in jobs.values())
        for job_id in cleared_since:
            if jobs[job_id].ended_at is None:
                release_schedule(job=jobs[job_id], delay=0.0)

    onward = {claim.job_id: Onward.STOP for claim in released}
    return stages_finish(claims=list(released), record=record, onward=onward)


def _pictures(job_ids: Sequence[UUID]) -> list[ReleaseCandidate]:
    return rows_read(ReleaseCandidate, _PICTURES, [job_ids])
