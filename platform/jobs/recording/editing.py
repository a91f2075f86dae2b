"""What `edit` reads and writes: faces that do not look as drawn, and what was painted in their
place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from config.rows import rows_insert, rows_update
from ethical_lens.results import PictureVerdict, ReadFace
from jobs.claims import Claim, stage_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.recording.painting import PictureToPaint, pictures_to_paint
from jobs.recording.scrutiny import (
    PictureToScrutinise,
    hashes_record,
    picture_settle,
    pictures_to_scrutinise,
    verdict_record,
)
from jobs.states import PictureStatus
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage

_EDITED: Final = "The face did not look as drawn. It was painted anew, and reads as drawn now."
_IN_VAIN: Final = (
    "The face does not look as drawn. Painting it anew did not change that, so the picture stays "
    "as it was."
)


@dataclass(frozen=True, slots=True)
class EditedPicture:
    """A picture whose face was to be painted anew: the faces that were read before and, where the
    face reads as drawn now, the new picture, the verdict on it, and its PDQ hash, unless it is too
    flat to have one."""

    picture_id: UUID
    faces: tuple[ReadFace, ...]
    stored: StoredObject | None = None
    verdict: PictureVerdict | None = None
    pdq: bytes | None = None


def pictures_to_edit(claim: Claim) -> list[tuple[PictureToScrutinise, PictureToPaint]]:
    """The pictures of this round that may be let out as they were painted: how they were judged,
    and what they were painted from."""
    cleared = {
        picture.id
        for picture in _cleared(claim.job_id, claim.round)
        if picture.current and picture.current.kind == PictureVersion.Kind.PAINTED
    }
    paintings = {picture.picture_id: picture for picture in pictures_to_paint([claim])}
    return [
        (picture, paintings[picture.picture_id])
        for picture in pictures_to_scrutinise([claim])
        if picture.picture_id in cleared
    ]


def editing_finish(
    *,
    claim: Claim,
    edited: Sequence[EditedPicture],
    painter_digests: Mapping[str, str],
    scrutiny_digests: Mapping[str, str],
) -> bool:
    """Record what was tried and what came of it. A new picture is let out by its own verdict."""

    def record(job: Job) -> None:
        pictures = {picture.id: picture for picture in _cleared(job.id, claim.round)}
        settled = []
        for item in edited:
            picture = pictures[item.picture_id]
            before = picture.current
            if before is None:
                raise ValueError(f"picture {picture.id} was never painted")
            decision_record(
                job=job,
                picture=picture,
                stage=DecisionStage.EDIT,
                round=claim.round,
                action=DecisionAction.EDIT,
                reason="edit_not_confirmed" if item.stored is None else "face_not_as_drawn",
                explanation=_IN_VAIN if item.stored is None else _EDITED,
                faces=item.faces,
                model_digests=scrutiny_digests,
                object_digest=before.sha256,
            )
            if item.stored is None or item.verdict is None:
                continue
            picture.current = PictureVersion(
                picture=picture,
                round=claim.round,
                kind=PictureVersion.Kind.EDITED,
                prompt=before.prompt,
                key=item.stored.key,
                sha256=item.stored.sha256,
                size=item.stored.size,
                verdict=item.verdict.model_dump(mode="json"),
                model_digests=dict(painter_digests),
            )
            rows_insert([picture.current])
            hashes_record([(picture.current, item.pdq)])
            picture.cleared_by = None
            decision = verdict_record(
                job=job,
                picture=picture,
                version=picture.current,
                stage=DecisionStage.EDIT,
                verdict=item.verdict,
                model_digests=scrutiny_digests,
            )
            picture_settle(picture, item.verdict, decision)
            settled.append(picture)
        rows_update(settled, "current", "status", "reason", "cleared_by")

    return stage_finish(claim=claim, record=record)


def _cleared(job_id: UUID, round: int) -> QuerySet[Picture]:
    return Picture.objects.select_related("current").filter(
        job=job_id, round=round, status=PictureStatus.QUARANTINED, cleared_by__isnull=False
    )
