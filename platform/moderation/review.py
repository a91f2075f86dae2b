"""What a moderator decides: a picture is released or blocked, a prompt is approved or blocked.

One decision per subject, whoever comes second is told so. They are chosen at the desk, which
carries them out when the time for undo is over (`desk.choosing`).
"""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from desk.entering import picture_leave, prompt_leave
from ethical_lens.results import Factor, Label, TextVerdict
from jobs.ending import job_end
from jobs.models import Job, Picture
from jobs.outbox import outbox_continue
from jobs.promotion import stage_promote
from jobs.services import release_schedule
from jobs.states import JobStatus, PictureStatus
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage


class ReviewError(Exception):
    """A moderator's decision cannot be carried out; nothing was changed."""


class NotInReview(ReviewError):
    """The subject is not, or no longer, waiting for a decision."""


def picture_decide(
    *, picture_id: UUID, moderator: User, release: bool, explanation: str
) -> Decision:
    """Release or block a picture that is in review, and settle its job.

    Raises `NotInReview` where it was decided already or its job has ended, `ReviewError` where
    the explanation is missing.
    """
    _require_explanation(explanation)
    with transaction.atomic():
        job, picture = picture_in_review(picture_id)
        assert picture.current is not None  # by the condition
        decision = decision_record(
            job=job,
            picture=picture,
            stage=DecisionStage.REVIEW,
            round=picture.round,
            actor=moderator,
            action=DecisionAction.RELEASE if release else DecisionAction.BLOCK,
            reason="moderator_released" if release else "moderator_blocked",
            explanation=explanation.strip(),
            object_digest=picture.current.sha256,
        )
        picture.reason = decision.reason
        if release:
            picture.cleared_by = decision
        else:
            picture.status = PictureStatus.BLOCKED.value
        picture.save(update_fields=["reason", "cleared_by", "status"])
        picture_leave(picture.id, by=moderator)
        release_schedule(job=job, delay=0.0)
        return decision


def picture_in_review(picture_id: UUID) -> tuple[Job, Picture]:
    """The picture, which waits for a decision, and its job, locked in the transaction under way.

    Raises `NotInReview`.
    """
    job = Job.objects.select_for_update(of=("self",)).get(pictures=picture_id)
    picture = job.pictures.select_related("current").get(pk=picture_id)
    if (
        job.status != JobStatus.NEEDS_REVIEW
        or picture.status != PictureStatus.IN_REVIEW
        or picture.cleared_by_id is not None
        or picture.current is None
    ):
        raise NotInReview(f"picture {picture.index} of job {job.id} is not waiting for review")
    return job, picture


def prompt_decide(*, job_id: UUID, moderator: User, approve: bool, explanation: str) -> Decision:
    """Approve the prompt of a job that was held before anything was painted, or block the job.

    An approved prompt is painted as it was written, without rewriting and without drawing
    attributes; its pictures are scrutinised like any others.

    Raises `NotInReview` where the job does not wait for this, `ReviewError` where the explanation
    is missing, or where something sexual was found beside somebody under 20: nobody approves that.
    """
    _require_explanation(explanation)
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if approve and _sexual_and_minor(job):
            raise ReviewError("Nothing sexual is painted of somebody under 20: block it.")
        painted = job.pictures.filter(current__isnull=False).exists()
        if job.status != JobStatus.NEEDS_REVIEW or painted:
            raise NotInReview(f"the prompt of job {job.id} is not waiting for review")
        decision = decision_record(
            job=job,
            stage=DecisionStage.REVIEW,
            round=1,
            actor=moderator,
            action=DecisionAction.ALLOW if approve else DecisionAction.BLOCK,
            reason="moderator_approved" if approve else "moderator_blocked",
            explanation=explanation.strip(),
        )
        prompt_leave(job, by=moderator)
        if not approve:
            job_end(
                job=job,
                status=JobStatus.BLOCKED,
                reason="moderator_blocked",
                explanation="A moderator refused the prompt.",
            )
            return decision
        verdict = TextVerdict(
            labels=frozenset({Label.K0}),
            score=0.0,
            explanation="A moderator approved the prompt as written.",
            prompt=job.prompt,
            negative_prompt=job.negative_prompt,
            minor=True,  # ages were never read: whatever looks sexual is blocked, not repaired
        )
        job.text_verdict = verdict.model_dump(mode="json")
        job.status, job.reason, job.explanation = JobStatus.QUEUED.value, "", ""
        job.save(update_fields=["text_verdict", "status", "reason", "explanation"])
        job.pictures.update(prompt=job.prompt, draws=[])
        stage_promote(job)
        outbox_continue(job)
        return decision


def _sexual_and_minor(job: Job) -> bool:
    said = job.text_verdict or {}
    return bool(said.get("minor")) and Factor.SEXUAL.value in said.get("factors", ())


def _require_explanation(explanation: str) -> None:
    if not explanation.strip():
        raise ReviewError("Say why: the explanation is empty.")
