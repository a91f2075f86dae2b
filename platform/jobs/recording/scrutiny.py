"""What `scrutinise` reads and writes: a decision for every look, and what becomes of pictures."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from config.rows import rows_insert, rows_read, rows_update
from desk.models import PictureHash
from desk.nearness import bands_of
from ethical_lens.results import AttributeDraw, PictureAction, PictureVerdict, TextVerdict
from jobs.claims import Claim, Onward, stages_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.services import edit_add, second_round_add
from jobs.states import PictureStatus
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from moderation.policies import policy_of_version

_TO_SCRUTINISE = """
SELECT job.id, job.policy_version_id, job.text_verdict, picture.id, picture.draws,
       version.key, version.sha256, version.kind
FROM unnest(%(jobs)s::uuid[], %(rounds)s::smallint[]) WITH ORDINALITY AS claim(job_id, round, place)
JOIN jobs_job job ON job.id = claim.job_id
JOIN jobs_picture picture ON picture.job_id = job.id AND picture.round = claim.round
JOIN jobs_pictureversion version ON version.id = picture.current_id
WHERE picture.status = 'quarantined'
ORDER BY claim.place, picture.index
"""

_PAINTED = """
SELECT version.*
FROM unnest(%(jobs)s::uuid[], %(rounds)s::smallint[]) AS claim(job_id, round)
JOIN jobs_picture picture ON picture.job_id = claim.job_id AND picture.round = claim.round
JOIN jobs_pictureversion version ON version.id = picture.current_id
WHERE picture.status = 'quarantined'
"""


@dataclass(frozen=True, slots=True)
class PictureToScrutinise:
    """A painted picture in quarantine, with what its judgement depends on."""

    job_id: UUID
    policy_version_id: UUID
    text: TextVerdict
    picture_id: UUID
    draws: tuple[AttributeDraw, ...]
    key: str
    sha256: str
    retouched: bool = False
    """A moderator blurred a region of it."""

    @property
    def under_twenty(self) -> bool:
        """Whether the prompt or the draw says that somebody shown is under 20."""
        return self.text.somebody_under_twenty(self.draws)


@dataclass(frozen=True, slots=True)
class ScrutinisedPicture:
    """The verdict on a picture as painted and, where it was blurred, on what came of that; whether
    its face does not look as drawn and is to be edited."""

    picture_id: UUID
    verdict: PictureVerdict
    blurred: StoredObject | None = None
    verdict_on_blurred: PictureVerdict | None = None
    pdq: bytes | None = None
    """The PDQ hash of the picture as it is left, 32 bytes; None where it has none."""
    not_as_drawn: bool = False

    @property
    def final(self) -> PictureVerdict:
        """The verdict that says what becomes of the picture."""
        return self.verdict_on_blurred or self.verdict


def pictures_to_scrutinise(claims: Sequence[Claim]) -> list[PictureToScrutinise]:
    """The pictures of the claims' rounds, in the order of the claims.

    Raises pydantic's `ValidationError` where what text scrutiny recorded cannot be read.
    """
    return rows_read(_to_scrutinise, _TO_SCRUTINISE, _jobs_and_rounds(claims))


def scrutiny_finish(
    scrutinised: Mapping[Claim, Sequence[ScrutinisedPicture]], *, model_digests: Mapping[str, str]
) -> bool:
    """Record every verdict. Only a final verdict of release clears a picture."""

    onward = {
        claim.job_id: Onward.AFRESH
        for claim, items in scrutinised.items()
        if any(item.not_as_drawn or _repaints(item) for item in items)
    }

    def record(jobs: Mapping[UUID, Job]) -> None:
        held = [claim for claim in scrutinised if claim.job_id in jobs]
        painted = {
            version.picture_id: version
            for version in PictureVersion.objects.raw(_PAINTED, _jobs_and_rounds(held))
        }
        pictures: list[Picture] = []
        blurred: list[PictureVersion] = []
        decisions: list[Decision] = []
        for claim in held:
            for item in scrutinised[claim]:
                version = painted.get(item.picture_id)
                if version is None:
                    raise ValueError(f"picture {item.picture_id} was never painted")
                picture = Picture(
                    id=item.picture_id,
                    current=version,
                    status=PictureStatus.QUARANTINED,
                    round=claim.round,
                )
                job = jobs[claim.job_id]
                decisions += _judged(job, picture, version, item, model_digests)
                picture_settle(picture, item.final, decisions[-1])
                pictures.append(picture)
                if picture.current and picture.current is not version:
                    blurred.append(picture.current)
        rows_insert([*blurred, *decisions])
        rows_update([painted[picture.id] for picture in pictures], "verdict")
        rows_update(pictures, "current", "status", "reason", "round", "cleared_by")
        hashed = [item for claim in held for item in scrutinised[claim]]
        hashes_record(
            (picture.current, item.pdq) for picture, item in zip(pictures, hashed, strict=True)
        )
        for claim in held:
            if any(item.not_as_drawn for item in scrutinised[claim]):
                edit_add(job=jobs[claim.job_id], round=claim.round)
            if any(_repaints(item) for item in scrutinised[claim]):
                second_round_add(job=jobs[claim.job_id])

    return stages_finish(claims=list(scrutinised), record=record, onward=onward)


def hashes_record(found: Iterable[tuple[PictureVersion | None, bytes | None]]) -> None:
    """Keep the PDQ hashes (32 bytes) of versions, by which near-identical pictures are found."""
    rows_insert(
        PictureHash(version=version, pdq=pdq, bands=bands_of(pdq))
        for version, pdq in found
        if version is not None and pdq is not None
    )


def _repaints(item: ScrutinisedPicture) -> bool:
    return item.final.action is PictureAction.REPAINT


def _jobs_and_rounds(claims: Sequence[Claim]) -> dict[str, object]:
    return {"jobs": [c.job_id for c in claims], "rounds": [c.round for c in claims]}


def _judged(
    job: Job,
    picture: Picture,
    version: PictureVersion,
    item: ScrutinisedPicture,
    model_digests: Mapping[str, str],
) -> list[Decision]:
    """The decisions on one picture, whose versions get their verdicts, the last one last. None of
    it is written yet."""
    decisions: list[Decision] = []
    version.verdict = item.verdict.model_dump(mode="json")
    verdict_record(
        job=job, picture=picture, version=version, stage=DecisionStage.SCRUTINISE,
        verdict=item.verdict, model_digests=model_digests, among=decisions,
    )  # fmt: skip
    if item.verdict_on_blurred is not None and item.blurred is not None:
        picture.current = PictureVersion(
            picture=picture,
            round=picture.round,
            kind=PictureVersion.Kind.BLURRED,
            prompt=version.prompt,
            key=item.blurred.key,
            sha256=item.blurred.sha256,
            size=item.blurred.size,
            verdict=item.verdict_on_blurred.model_dump(mode="json"),
            model_digests=version.model_digests,
        )
        verdict_record(
            job=job, picture=picture, version=picture.current, stage=DecisionStage.SCRUTINISE,
            verdict=item.verdict_on_blurred, model_digests=model_digests, among=decisions,
        )  # fmt: skip
    return decisions


def verdict_record(
    *,
    job: Job,
    picture: Picture,
    version: PictureVersion,
    stage: DecisionStage,
    verdict: PictureVerdict,
    model_digests: Mapping[str, str],
    among: list[Decision] | None = None,
) -> Decision:
    """The verdict on a version of a picture as a decision."""
    return decision_record(
        job=job,
        picture=picture,
        stage=stage,
        round=picture.round,
        action=DecisionAction(verdict.action.value),
        reason=verdict.reason,
        explanation=verdict.explanation,
        scores={concept.value: score for concept, score in verdict.scores.items()},
        thresholds=policy_of_version(job.policy_version_id).thresholds,
        findings=[finding.concept.value for finding in verdict.findings],
        faces=verdict.faces,
        model_digests=model_digests,
        object_digest=version.sha256,
        among=among,
    )


def picture_settle(picture: Picture, verdict: PictureVerdict, decision: Decision) -> None:
    """Set on `picture` what follows from the verdict on it; the caller saves it."""
    picture.reason = verdict.reason
    match verdict.action:
        case PictureAction.RELEASE:
            picture.cleared_by = decision
        case PictureAction.REPAINT:
            picture.round += 1
        case PictureAction.BLOCK:
            picture.status = PictureStatus.BLOCKED
        case PictureAction.REVIEW | PictureAction.BLUR:  # a blur that was not done clears nothing
            picture.status = PictureStatus.IN_REVIEW


def _to_scrutinise(
    job_id: UUID,
    policy_version_id: UUID,
    text_verdict: str | None,
    picture_id: UUID,
    draws: str | None,
    key: str,
    sha256: str,
    kind: str,
) -> PictureToScrutinise:
    return PictureToScrutinise(
        job_id=job_id,
        policy_version_id=policy_version_id,
        text=TextVerdict.model_validate(json.loads(text_verdict or "null")),
        picture_id=picture_id,
        draws=tuple(AttributeDraw.model_validate(d) for d in json.loads(draws or "null") or ()),
        key=key,
        sha256=sha256,
        retouched=kind == PictureVersion.Kind.RETOUCHED,
    )
