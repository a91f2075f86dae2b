"""Release: what a recorded verdict has cleared is copied out of quarantine, then recorded."""

from collections.abc import Sequence

from jobs.claims import Claim
from jobs.recording.release import pictures_to_release, release_finish
from jobs.storage import release_copy


def job_release(claims: Sequence[Claim]) -> bool:
    """Copy the job's cleared pictures to their released keys and settle the job."""
    (claim,) = claims
    released = {
        picture.id: release_copy(
            source=picture.key, job_id=claim.job_id, picture_id=picture.id, sha256=picture.sha256
        )
        for picture in pictures_to_release(claim.job_id)
    }
    return release_finish(claim=claim, released=released)
