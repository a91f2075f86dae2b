"""What `scrutinise` writes: a decision for every look at a picture, and what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ethical_lens.results import PictureAction, PictureVerdict
from jobs.claims import Claim, Onward, stage_finish
from jobs.models import Job, Picture, PictureVersion
from jobs.services import second_round_add
from jobs.states import PictureStatus
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from moderation.policies import policy_of_version


@dataclass(frozen=True, slots=True)
class ScrutinisedPicture:
    """The verdict on a picture as painted and, where it was blurred, on what came of that."""

    picture_id: UUID
    verdict: PictureVerdict
    blurred: StoredObject | None = None
    verdict_on_blurred: PictureVerdict | None = None

    @property
    def final(self) -> PictureVerdict:
        """The verdict that says what becomes of the picture."""
        return self.verdict_on_blurred or self.verdict


def scrutiny_finish(
    *,
    claim: Claim,
    scrutinised: Sequence[ScrutinisedPicture],
    model_digests: Mapping[str, str],
    rider: bool = False,
) -> bool:
    """Record every verdict. Only a final verdict of release clears a picture."""

    def record(job: Job) -> Onward:
        pictures = {p.id: p for p in job.pictures.select_related("current")}
        repaint = False
        for item in scrutinised:
            picture = pictures[item.picture_id]
            decision = _judged(job, picture, item, claim.round, model_digests)
            _settle(picture, item.final, decision)
            picture.save(update_fields=["current", "status", "reason", "round", "cleared_by"])
            repaint = repaint or item.final.action is PictureAction.REPAINT
        if repaint:
            second_round_add(job=job)
            return Onward.AFRESH
        return Onward.NEXT

    return stage_finish(claim=claim, record=record, rider=rider)


def _judged(
    job: Job,
    picture: Picture,
    item: ScrutinisedPicture,
    round: int,
    model_digests: Mapping[str, str],
) -> Decision:
    """Write the decisions on one picture and its versions' verdicts; the last decision."""
    version = picture.current
    if version is None:
        raise ValueError(f"picture {picture.id} was never painted")
    decision = _decide(job, picture, version, item.verdict, round, model_digests)
    version.verdict = item.verdict.model_dump(mode="json")
    version.save(update_fields=["verdict"])
    if item.verdict_on_blurred is None or item.blurred is None:
        return decision
    picture.current = PictureVersion.objects.create(
        picture=picture,
        round=round,
        kind=PictureVersion.Kind.BLURRED,
        prompt=version.prompt,
        key=item.blurred.key,
        sha256=item.blurred.sha256,
        size=item.blurred.size,
        verdict=item.verdict_on_blurred.model_dump(mode="json"),
        model_digests=version.model_digests,
    )
    return _decide(job, picture, picture.current, item.verdict_on_blurred, round, model_digests)


def _decide(
    job: Job,
    picture: Picture,
    version: PictureVersion,
    verdict: PictureVerdict,
    round: int,
    model_digests: Mapping[str, str],
) -> Decision:
    return decision_record(
        job=job,
        picture=picture,
        stage=DecisionStage.SCRUTINISE,
        round=round,
        action=DecisionAction(verdict.action.value),
        reason=verdict.reason,
        explanation=verdict.explanation,
        scores={concept.value: score for concept, score in verdict.scores.items()},
        thresholds=policy_of_version(job.policy_version_id).thresholds,
        findings=[finding.concept.value for finding in verdict.findings],
        model_digests=model_digests,
        object_digest=version.sha256,
    )


def _settle(picture: Picture, verdict: PictureVerdict, decision: Decision) -> None:
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
