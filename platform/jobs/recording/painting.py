"""What `generate` reads and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from config.rows import rows_insert, rows_read, rows_update
from jobs.claims import Claim, stages_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.states import PictureStatus
from jobs.storage import StoredObject

_TO_PAINT = """
SELECT job.id, picture.id, job.model, job.lora, picture.prompt,
       coalesce(job.text_verdict ->> 'negative_prompt', ''), picture.seed,
       job.width, job.height, job.steps, job.guidance_scale, job.strength
FROM unnest(%(jobs)s::uuid[], %(rounds)s::smallint[]) WITH ORDINALITY AS claim(job_id, round, place)
JOIN jobs_job job ON job.id = claim.job_id
JOIN jobs_picture picture ON picture.job_id = job.id AND picture.round = claim.round
WHERE picture.status IN ('pending', 'quarantined')
ORDER BY claim.place, picture.index
"""


@dataclass(frozen=True, slots=True)
class PictureToPaint:
    """A picture of this round as it is to be painted: `width` x `height` pixels, `steps` steps.

    With a `strength` it is painted on the picture that was sent with its job.
    """

    job_id: UUID
    picture_id: UUID
    model: str
    lora: str
    prompt: str
    negative_prompt: str
    seed: int
    width: int
    height: int
    steps: int
    guidance_scale: float
    strength: float | None


@dataclass(frozen=True, slots=True)
class PaintedPicture:
    """A picture that was painted and stored, and the prompt it was painted from."""

    picture_id: UUID
    prompt: str
    stored: StoredObject


def pictures_to_paint(claims: Sequence[Claim]) -> list[PictureToPaint]:
    """The pictures of the claims' rounds, in the order of the claims."""
    return rows_read(
        PictureToPaint,
        _TO_PAINT,
        {"jobs": [c.job_id for c in claims], "rounds": [c.round for c in claims]},
    )


def painting_finish(
    painted: Mapping[Claim, Sequence[PaintedPicture]], *, model_digests: Mapping[str, str]
) -> bool:
    """Record the pictures of each claim's round, in quarantine."""

    def record(jobs: Mapping[UUID, Job]) -> None:
        versions, pictures = [], []
        for claim, items in painted.items():
            for item in items if claim.job_id in jobs else ():
                version = PictureVersion(
                    picture_id=item.picture_id,
                    round=claim.round,
                    kind=PictureVersion.Kind.PAINTED,
                    prompt=item.prompt,
                    key=item.stored.key,
                    sha256=item.stored.sha256,
                    size=item.stored.size,
                    model_digests=dict(model_digests),
                )
                versions.append(version)
                pictures.append(
                    Picture(
                        id=version.picture_id,
                        current=version,
                        status=PictureStatus.QUARANTINED,
                        steps_done=jobs[claim.job_id].steps,
                    )
                )
        rows_insert(versions)
        rows_update(pictures, "current", "status", "steps_done")

    return stages_finish(claims=list(painted), record=record)
