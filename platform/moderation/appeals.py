"""A tenant contradicts a decision to block; a person answers, once.

An ended job stays ended, whatever the answer: a picture that was wrongly blocked is let out; what
was blocked at its prompt is put right in the record, and the tenant submits a new job.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from desk.entering import appeal_leave, appeals_enter
from desk.second_looks import decided_by
from jobs.models import Job
from jobs.outcome import last_decisions
from moderation.decisions import decision_record
from moderation.models import Appeal, DecisionAction, DecisionStage
from moderation.restoring import picture_restore, restorable, restore_copy
from moderation.telling import appeal_tell

_ACTIONS = {
    (True, True): DecisionAction.RELEASE,
    (True, False): DecisionAction.ALLOW,
    (False, False): DecisionAction.BLOCK,
}
"""By whether the appeal is accepted, and whether a picture is let out by that."""


class AppealError(Exception):
    """Base of what is wrong with an appeal; nothing was changed."""


class NothingToAppeal(AppealError):
    """Nothing of the job was blocked."""


class AppealedAlready(AppealError):
    """Every decision to block was appealed before."""


class AnsweredAlready(AppealError):
    """Another moderator was quicker."""


class OwnDecision(AppealError):
    """Who decided does not answer the appeal against it."""


def appeals_open(*, job_id: UUID, statement: str) -> Sequence[Appeal]:
    """Open an appeal against every decision that blocked something of the job and has none yet.

    Raises `NothingToAppeal` and `AppealedAlready`.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.erased_at is not None:
            raise NothingToAppeal(f"job {job_id} was erased after the retention of its policy")
        blocking = [
            decision
            for decision in last_decisions(job.decisions.select_related("picture"))
            if decision.action == DecisionAction.BLOCK
        ]
        known = set(
            Appeal.objects.filter(decision__in=blocking).values_list("decision_id", flat=True)
        )
        # The answer to an appeal may be a decision to block, too: the last word.
        answers = set(
            Appeal.objects.filter(job=job, answer__isnull=False).values_list("answer_id", flat=True)
        )
        fresh = [d for d in blocking if d.id not in known | answers]
        if not blocking and not answers:
            raise NothingToAppeal(f"nothing of job {job_id} was blocked")
        if not fresh:
            raise AppealedAlready(f"what was blocked of job {job_id} was appealed already")
        appeals = Appeal.objects.bulk_create(
            [
                Appeal(tenant_id=job.tenant_id, job=job, decision=decision, statement=statement)
                for decision in fresh
            ]
        )
        appeals_enter(job, appeals)
        return appeals


def appeal_answer(*, appeal_id: UUID, moderator: User, accept: bool, explanation: str) -> Appeal:
    """Record a moderator's answer as a decision of its own, and tell the platform.

    An accepted appeal lets the picture out where it is `restorable`. Raises `AnsweredAlready`,
    `OwnDecision`, and `ReviewError` where the picture cannot be copied; then nothing was changed.
    """
    appeal = Appeal.objects.select_related("job", "decision__picture__current").get(pk=appeal_id)
    picture = appeal.decision.picture
    restores = accept and restorable(appeal)
    key = restore_copy(picture) if picture is not None and restores else ""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=appeal.job_id)
        appeal = Appeal.objects.select_related("decision__picture__current").get(pk=appeal_id)
        picture = appeal.decision.picture
        if appeal.answer_id is not None:
            raise AnsweredAlready(f"appeal {appeal_id} was answered already")
        appealed = appeal.decision
        if moderator.pk in decided_by(appealed):
            raise OwnDecision("somebody else than who decided answers an appeal")
        appeal.answer = decision_record(
            job=job,
            picture=picture,
            stage=DecisionStage.REVIEW,
            round=appealed.round,
            actor=moderator,
            action=_ACTIONS[accept, bool(key)],
            reason="appeal_accepted" if accept else "appeal_refused",
            explanation=explanation.strip(),
            object_digest=appealed.object_digest,
            replaces=appealed,
        )
        appeal.answered_at = timezone.now()
        appeal.save(update_fields=["answer", "answered_at"])
        if key and picture is not None:
            picture_restore(picture, appeal.answer, key)
        appeal_tell(job, appeal, picture)
        appeal_leave(appeal, by=moderator)
        return appeal
