"""A tenant contradicts a decision to block; a person answers, once.

An ended job stays ended, whatever the answer: what was wrongly blocked is put right in the record
and, where rules are wrong, in the policy; the tenant submits a new job.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from desk.entering import appeal_leave, appeals_enter
from jobs.models import Job
from jobs.outcome import last_decisions
from moderation.decisions import decision_record
from moderation.models import Appeal, DecisionAction, DecisionStage


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
    """Record a moderator's answer as a decision of its own.

    Raises `AnsweredAlready`, `OwnDecision`.
    """
    with transaction.atomic():
        appeal = Appeal.objects.get(pk=appeal_id)
        job = Job.objects.select_for_update().get(pk=appeal.job_id)
        appeal.refresh_from_db()
        if appeal.answer_id is not None:
            raise AnsweredAlready(f"appeal {appeal_id} was answered already")
        appealed = appeal.decision
        if appealed.actor_id == moderator.pk:
            raise OwnDecision("somebody else than who decided answers an appeal")
        appeal.answer = decision_record(
            job=job,
            picture=appealed.picture,
            stage=DecisionStage.REVIEW,
            round=appealed.round,
            actor=moderator,
            action=DecisionAction.ALLOW if accept else DecisionAction.BLOCK,
            reason="appeal_accepted" if accept else "appeal_refused",
            explanation=explanation.strip(),
            object_digest=appealed.object_digest,
            replaces=appealed,
        )
        appeal.answered_at = timezone.now()
        appeal.save(update_fields=["answer", "answered_at"])
        appeal_leave(appeal, by=moderator)
        return appeal
