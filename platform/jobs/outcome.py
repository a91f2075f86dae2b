"""Why a job was stopped or is held, in words and figures, and what can be done about it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from jobs.models import Job
from jobs.states import JobStatus
from moderation.models import Decision, DecisionAction, DecisionStage

EXPLAINED = (JobStatus.BLOCKED, JobStatus.NEEDS_REVIEW)

_CHANGE_PROMPT = (
    "Word the prompt without what its factors name, and submit it as a new job. The same prompt "
    "will be refused again."
)
_CHANGE_PICTURE = (
    "Describe other content or another setting, name in `negative_prompt` what was found, or try "
    "another `seed`, in a new job."
)
_CHANGE_SENT = "Send another picture or mask, in a new job. The same one will be refused again."
_WAIT = "Nothing: a person looks at it. The job goes on or ends by itself."


class Cause(Schema):
    """One thing that stopped or holds the prompt or a picture."""

    decision: UUID
    picture: int | None = Field(description="index of the picture, none: the prompt or the job")
    stage: str
    category: str | None = Field(
        description="K3 or P1 to P9 of a prompt, the concept of a picture; none: no verdict"
    )
    score: float | None = Field(
        description="0 to 1; of a prompt that of the factor, else its toxicity"
    )
    threshold: float | None = Field(description="from which score on the category counts")
    reason: str
    explanation: str


class OutcomeOut(Schema):
    """Why a job is blocked or held for a person."""

    stage: str
    policy: str
    causes: list[Cause]
    what_may_be_changed: str
    appeal: str | None = Field(description="where to appeal, by POST; none: nothing is decided yet")


def outcome_of(job: Job, *, appeal_url: str) -> OutcomeOut | None:
    """Why the job is blocked or held; None for all others."""
    if job.status not in EXPLAINED:
        return None
    blocked = job.status == JobStatus.BLOCKED
    wanted = DecisionAction.BLOCK if blocked else DecisionAction.REVIEW
    decisions = [d for d in last_decisions(job.decisions.all()) if d.action == wanted]
    causes = [cause for decision in decisions for cause in _causes(decision)]
    return OutcomeOut(
        stage=decisions[-1].stage if decisions else "",
        policy=str(job.policy_version),
        causes=causes,
        what_may_be_changed=_advice(blocked, causes),
        appeal=appeal_url if blocked and decisions else None,
    )


def last_decisions(decisions: Iterable[Decision]) -> Sequence[Decision]:
    """The last decision on the prompt, on each picture, and on each that was sent, oldest first."""
    by_subject = {d.picture_id or d.object_digest: d for d in decisions}
    return sorted(by_subject.values(), key=lambda decision: decision.id)


def _advice(blocked: bool, causes: Sequence[Cause]) -> str:
    if not blocked:
        return _WAIT
    if any(c.stage == DecisionStage.INSPECT for c in causes):
        return _CHANGE_SENT
    return _CHANGE_PROMPT if any(c.picture is None for c in causes) else _CHANGE_PICTURE


def _causes(decision: Decision) -> list[Cause]:
    prompt = decision.stage == DecisionStage.ALIGN
    categories: list[str | None] = [
        *(decision.factors or decision.labels if prompt else decision.findings)
    ]
    return [_cause(decision, category, prompt) for category in categories or [None]]


def _cause(decision: Decision, category: str | None, prompt: bool) -> Cause:
    scores: dict[str, Any] = decision.scores
    key = category if category in scores else "toxicity" if prompt else None
    return Cause(
        decision=decision.id,
        picture=decision.picture.index if decision.picture else None,
        stage=decision.stage,
        category=category,
        score=scores.get(key) if key else None,
        threshold=decision.thresholds.get(category) if category else None,
        reason=decision.reason,
        explanation=decision.explanation,
    )
