"""Decisions are written here and nowhere else."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from config.rows import rows_insert
from ethical_lens.results import ReadFace
from moderation.models import Decision, DecisionAction, DecisionStage

if TYPE_CHECKING:
    from accounts.models import User
    from jobs.models import Job, Picture


def decision_record(
    *,
    job: "Job",
    stage: DecisionStage,
    round: int,
    action: DecisionAction,
    reason: str,
    explanation: str,
    picture: "Picture | None" = None,
    actor: "User | None" = None,
    labels: Sequence[str] = (),
    factors: Sequence[str] = (),
    scores: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    findings: Sequence[str] = (),
    faces: Sequence[ReadFace] = (),
    model_digests: Mapping[str, str] | None = None,
    object_digest: str = "",
    replaces: Decision | None = None,
    among: list[Decision] | None = None,
) -> Decision:
    """Append one decision to a job's record, in the transaction of what it decides.

    A person's decision replaces the last one on its subject, unless another is named. The system
    replaces nothing: what it decides after a blur or in round 2 carries out what it decided before.

    Where it is `among` others it is only added to them: who gathers them writes them together.
    """
    if replaces is None and actor is not None:
        replaces = _last_on(job, picture)
    decision = Decision(
        tenant_id=job.tenant_id,
        job=job,
        picture=picture,
        stage=stage.value,
        round=round,
        actor=actor,
        action=action.value,
        reason=reason,
        explanation=explanation,
        labels=list(labels),
        factors=list(factors),
        scores=dict(scores or {}),
        thresholds=dict(thresholds or {}),
        findings=list(findings),
        faces=[face.model_dump(mode="json") for face in faces],
        model_digests=dict(model_digests or {}),
        object_digest=object_digest,
        policy_version_id=job.policy_version_id,
        replaces=replaces,
    )
    if among is None:
        rows_insert([decision])
    else:
        among.append(decision)
    return decision


def _last_on(job: "Job", picture: "Picture | None") -> Decision | None:
    """The last decision on the picture, else on the job as a whole, which held the picture too."""
    decisions = Decision.objects.filter(job=job)
    own = decisions.filter(picture=picture).last()
    return own or (decisions.filter(picture=None).last() if picture is not None else None)
