"""What a moderator does with a picture in review besides letting it pass or not: blur a region, or
have it painted anew from an edited prompt. Either is scrutinised like any other picture."""

from uuid import UUID

from django.db import transaction
from pydantic import ValidationError

from accounts.models import User
from desk.entering import picture_leave
from ethical_lens.results import TextVerdict
from jobs.models import Job, Picture, PictureVersion
from jobs.outbox import outbox_continue
from jobs.promotion import stage_promote
from jobs.services import stages_add
from jobs.stages import GENERATE, RELEASE, SCRUTINISE, Stage
from jobs.states import JobStatus, PictureStatus, StageState
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage
from moderation.review import NotInReview, ReviewError, picture_in_review


class StageOpen(ReviewError):
    """A stage of the job is under way; later it can be done."""


def picture_blur(
    *, picture_id: UUID, moderator: User, blurred: StoredObject, of: str, explanation: str
) -> Decision:
    """Put `blurred`, which was made of the version with the digest `of`, in the place of the
    picture, and have it scrutinised in a round of its own: the decision names its digest, and
    only the verdict on it lets it out.

    Raises `NotInReview`, also where the picture has another version by now; `StageOpen` where the
    job is still at work.
    """
    with transaction.atomic():
        job, picture = picture_in_review(picture_id)
        assert picture.current is not None  # by the condition
        if picture.current.sha256 != of:
            raise NotInReview(f"picture {picture.index} of job {job.id} is another by now")
        _require_rest(job)
        decision = decision_record(
            job=job,
            picture=picture,
            stage=DecisionStage.REVIEW,
            round=picture.round,
            actor=moderator,
            action=DecisionAction.BLUR,
            reason="moderator_blurred",
            explanation=explanation.strip(),
            object_digest=blurred.sha256,
        )
        _round_add(job, picture, SCRUTINISE)
        picture.current = PictureVersion.objects.create(
            picture=picture,
            round=picture.round,
            kind=PictureVersion.Kind.RETOUCHED,
            prompt=picture.current.prompt,
            key=blurred.key,
            sha256=blurred.sha256,
            size=blurred.size,
            model_digests=picture.current.model_digests,
        )
        picture.reason = decision.reason
        picture.save(update_fields=["current", "round", "reason", "status"])
        _job_goes_on(job, picture, moderator)
        return decision


def picture_repaint(
    *, picture_id: UUID, moderator: User, prompt: str, explanation: str
) -> Decision:
    """Have the picture painted in a round of its own from `prompt`, and scrutinised as any other.

    Ages in the moderator's words are read by nobody: whatever looks sexual is blocked then, as if
    somebody under 20 were shown.

    Raises `NotInReview`; `StageOpen` where the job is still at work; `ReviewError` where the
    prompt was found sexual, which cannot be repainted unread.
    """
    with transaction.atomic():
        job, picture = picture_in_review(picture_id)
        _require_rest(job)
        job.text_verdict = _as_if_minor(job)
        decision = decision_record(
            job=job,
            picture=picture,
            stage=DecisionStage.REVIEW,
            round=picture.round,
            actor=moderator,
            action=DecisionAction.REPAINT,
            reason="moderator_repainted",
            explanation=explanation.strip(),
        )
        _round_add(job, picture, GENERATE, SCRUTINISE)
        picture.prompt, picture.reason = prompt, decision.reason
        picture.save(update_fields=["round", "prompt", "reason", "status"])
        _job_goes_on(job, picture, moderator)
        return decision


def _require_rest(job: Job) -> None:
    if job.stages.filter(state__in=[StageState.READY, StageState.RUNNING]).exists():
        raise StageOpen(f"job {job.id} has a stage under way")


def _round_add(job: Job, picture: Picture, *stages: Stage) -> None:
    """A round of the picture's own, with these stages and the release; the caller saves it."""
    job.stages.filter(state=StageState.WAITING).update(state=StageState.SKIPPED)
    rounds = job.stages.exclude(stage=RELEASE.name).values_list("round", flat=True)
    picture.round, picture.status = max(rounds) + 1, PictureStatus.QUARANTINED.value
    stages_add(job=job, stages=stages, round=picture.round)
    stages_add(job=job, stages=(RELEASE,), round=job.stages.filter(stage=RELEASE.name).count() + 1)


def _job_goes_on(job: Job, picture: Picture, moderator: User) -> None:
    job.status, job.reason, job.explanation = JobStatus.QUEUED.value, "", ""
    job.save(update_fields=["text_verdict", "status", "reason", "explanation"])
    picture_leave(picture.id, by=moderator)
    stage_promote(job)
    outbox_continue(job)


def _as_if_minor(job: Job) -> dict[str, object]:
    try:
        verdict = TextVerdict.model_validate((job.text_verdict or {}) | {"minor": True})
    except ValidationError as error:
        raise ReviewError("A prompt found sexual is not painted anew from words unread.") from error
    return verdict.model_dump(mode="json")
