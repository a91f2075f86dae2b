"""What `scrutinise` reads and writes: a decision for every look, and what becomes of pictures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from config.rows import rows_insert, rows_read, rows_update
from ethical_lens.results import AttributeDraw, PictureAction, PictureVerdict, TextVerdict
from jobs.claims import Claim, Onward, stage_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.services import edit_add, second_round_add
from jobs.states import PictureStatus
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from moderation.policies import policy_of_version

_TO_SCRUTINISE = """
SELECT job.id, job.policy_version_id, job.text_verdict, picture.id, picture.draws,
       version.key, version.sha256
FROM unnest(%(jobs)s::uuid[], %(rounds)s::smallint[]) WITH ORDINALITY AS claim(job_id, round, place)
JOIN jobs_job job ON job.id = claim.job_id
JOIN jobs_picture picture ON picture.job_id = job.id AND picture.round = claim.round
JOIN jobs_pictureversion version ON version.id = picture.current_id
WHERE picture.status = 'quarantined'
ORDER BY claim.place, picture.index
"""

_PAINTED = """
SELECT version.* FROM jobs_picture picture
JOIN jobs_pictureversion version ON version.id = picture.current_id
WHERE picture.job_id = %s AND picture.round = %s AND picture.status = 'quarantined'
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
    not_as_drawn: bool = False

    @property
    def final(self) -> PictureVerdict:
        """The verdict that says what becomes of the picture."""
        return self.verdict_on_blurred or self.verdict


def pictures_to_scrutinise(claims: Sequence[Claim]) -> list[PictureToScrutinise]:
    """The pictures of the claims' rounds, in the order of the claims.

    Raises pydantic's `ValidationError` where what text scrutiny recorded cannot be read.
    """
    return rows_read(
        _to_scrutinise,
        _TO_SCRUTINISE,
        {"jobs": [c.job_id for c in claims], "rounds": [c.round for c in claims]},
    )


def scrutiny_finish(
    *,
    claim: Claim,
    scrutinised: Sequence[ScrutinisedPicture],
    model_digests: Mapping[str, str],
    rider: bool = False,
) -> bool:
    """Record every verdict. Only a final verdict of release clears a picture."""

    repaint = any(item.final.action is PictureAction.REPAINT for item in scrutinised)
    edit = any(item.not_as_drawn for item in scrutinised)

    def record(job: Job) -> None:
        versions = {
            version.picture_id: version
            for version in PictureVersion.objects.raw(_PAINTED, [job.id, claim.round])
        }
        pictures = []
        for item in scrutinised:
            version = versions.get(item.picture_id)
            if version is None:
                raise ValueError(f"picture {item.picture_id} was never painted")
            picture = Picture(
                id=item.picture_id,
                current=version,
                status=PictureStatus.QUARANTINED,
                round=claim.round,
            )
            decision = _judged(job, picture, version, item, model_digests)
            picture_settle(picture, item.final, decision)
            pictures.append(picture)
        rows_update([versions[picture.id] for picture in pictures], "verdict")
        rows_update(pictures, "current", "status", "reason", "round", "cleared_by")
        if edit:
            edit_add(job=job, round=claim.round)
        if repaint:
            second_round_add(job=job)

    onward = Onward.AFRESH if edit or repaint else Onward.NEXT
    return stage_finish(claim=claim, record=record, onward=onward, rider=rider)


def _judged(
    job: Job,
    picture: Picture,
    version: PictureVersion,
    item: ScrutinisedPicture,
    model_digests: Mapping[str, str],
) -> Decision:
    """Write the decisions on one picture and set its versions' verdicts; the last decision."""
    decision = verdict_record(
        job=job, picture=picture, version=version, stage=DecisionStage.SCRUTINISE,
        verdict=item.verdict, model_digests=model_digests,
    )  # fmt: skip
    version.verdict = item.verdict.model_dump(mode="json")
    if item.verdict_on_blurred is None or item.blurred is None:
        return decision
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
    rows_insert([picture.current])
    return verdict_record(
        job=job, picture=picture, version=picture.current, stage=DecisionStage.SCRUTINISE,
        verdict=item.verdict_on_blurred, model_digests=model_digests,
    )  # fmt: skip


def verdict_record(
    *,
    job: Job,
    picture: Picture,
    version: PictureVersion,
    stage: DecisionStage,
    verdict: PictureVerdict,
    model_digests: Mapping[str, str],
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
) -> PictureToScrutinise:
    return PictureToScrutinise(
        job_id=job_id,
        policy_version_id=policy_version_id,
        text=TextVerdict.model_validate(json.loads(text_verdict or "null")),
        picture_id=picture_id,
        draws=tuple(AttributeDraw.model_validate(d) for d in json.loads(draws or "null") or ()),
        key=key,
        sha256=sha256,
    )
