"""What becomes of a job whose stage used up its attempts. Called with the job locked."""

from jobs.ending import job_end, job_hold, job_settle
from jobs.models import Job, StageRun
from jobs.outbox import outbox_continue
from jobs.promotion import stage_promote
from jobs.stages import EDIT, FETCH, GENERATE, INSPECT, RELEASE, STAGES
from jobs.states import JobStatus, PictureStatus, StageState, check_job_move
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage

_UNFINISHED = [PictureStatus.PENDING, PictureStatus.QUARANTINED]


def stage_give_up(*, job: Job, run: StageRun) -> None:
    """No verdict, no release: scrutiny that fails ends with a person.

    A painting that fails costs the pictures of its round, a release the pictures it was to let
    out; the others go on. Where editing fails, pictures stay as scrutiny let them out. What was
    sent and cannot be judged ends the job before anything is painted.
    """
    stage = STAGES[run.stage]
    if stage is GENERATE:
        _painting_give_up(job, run)
    elif stage is RELEASE:
        job.pictures.filter(
            status__in=[PictureStatus.QUARANTINED, PictureStatus.IN_REVIEW],
            cleared_by__isnull=False,
        ).update(status=PictureStatus.FAILED, reason=_reason(run))
        job_settle(job=job, statuses=job.pictures.values_list("status", flat=True))
    elif stage is EDIT:
        _record(job, run, DecisionAction.EDIT)
        stage_promote(job)
        outbox_continue(job)
    elif stage is FETCH:
        _fail(job, run)
    elif stage is INSPECT or job.scrutiny_alone:
        _record(job, run, DecisionAction.REVIEW)
        _fail(job, run)
    else:
        _record(job, run, DecisionAction.REVIEW)
        job_hold(job=job, reason=_reason(run), explanation=_explanation(run))


def _painting_give_up(job: Job, run: StageRun) -> None:
    job.pictures.filter(round=run.round, status__in=_UNFINISHED).update(
        status=PictureStatus.FAILED, reason=_reason(run)
    )
    if not job.pictures.exclude(status=PictureStatus.FAILED).exists():
        _fail(job, run)
        return
    check_job_move(job.status, JobStatus.SCRUTINISING)
    job.status = JobStatus.SCRUTINISING.value
    job.save(update_fields=["status"])
    job.stages.filter(state=StageState.WAITING).exclude(stage=RELEASE.name).update(
        state=StageState.SKIPPED
    )
    stage_promote(job)
    outbox_continue(job)


def _record(job: Job, run: StageRun, action: DecisionAction) -> None:
    decision_record(
        job=job,
        stage=DecisionStage(run.stage),
        round=run.round,
        action=action,
        reason=_reason(run),
        explanation=_explanation(run),
    )


def _fail(job: Job, run: StageRun) -> None:
    job_end(job=job, status=JobStatus.FAILED, reason=_reason(run), explanation=_explanation(run))


def _reason(run: StageRun) -> str:
    return f"{run.stage}_failed"


def _explanation(run: StageRun) -> str:
    return f"The stage {run.stage} failed {run.attempts} times."
