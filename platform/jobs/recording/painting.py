"""What `generate` reads and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from jobs.claims import Claim, Onward, stage_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.states import PictureStatus
from jobs.storage import StoredObject


@dataclass(frozen=True, slots=True)
class PaintedPicture:
    """A picture that was painted and stored, and the prompt it was painted from."""

    picture_id: UUID
    prompt: str
    stored: StoredObject


def painting_finish(
    *,
    claim: Claim,
    painted: Sequence[PaintedPicture],
    model_digests: Mapping[str, str],
    rider: bool = False,
) -> bool:
    """Record the pictures of this round, in quarantine."""

    def record(job: Job) -> Onward:
        versions = [
            PictureVersion(
                picture_id=item.picture_id,
                round=claim.round,
                kind=PictureVersion.Kind.PAINTED,
                prompt=item.prompt,
                key=item.stored.key,
                sha256=item.stored.sha256,
                size=item.stored.size,
                model_digests=dict(model_digests),
            )
            for item in painted
        ]
        PictureVersion.objects.bulk_create(versions)
        for version in versions:
            Picture.objects.filter(pk=version.picture_id).update(
                current=version, status=PictureStatus.QUARANTINED, steps_done=job.steps
            )
        return Onward.NEXT

    return stage_finish(claim=claim, record=record, rider=rider)
