"""Release: what a recorded verdict has cleared is copied out of quarantine, then recorded."""

from collections.abc import Sequence
from uuid import UUID

from jobs.claims import Claim
from jobs.recording.release import pictures_to_release, release_finish
from jobs.storage import release_copy
from workers.leasing import finish_together


def jobs_release(claims: Sequence[Claim]) -> bool:
    """Copy the jobs' cleared pictures to their released keys and settle the jobs."""
    by_job = {claim.job_id: claim for claim in claims}
    released: dict[Claim, dict[UUID, str]] = {claim: {} for claim in claims}
    for picture in pictures_to_release(list(by_job)):
        released[by_job[picture.job_id]][picture.id] = release_copy(
            source=picture.key,
            job_id=picture.job_id,
            picture_id=picture.id,
            sha256=picture.sha256,
        )
    return finish_together(released, release_finish)
