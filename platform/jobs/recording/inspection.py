"""What `fetch` and `inspect` read and write: the pictures that were sent with a job."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from config.rows import rows_update
from ethical_lens.results import PictureAction, PictureVerdict
from jobs.claims import Claim, Onward, stage_finish
from jobs.ending import job_end, scrutiny_settle
from jobs.models import Job, SentPicture
from jobs.states import JobStatus
from jobs.storage import StoredObject
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage
from moderation.policies import policy_of_version

_ACTIONS: Mapping[PictureAction, DecisionAction] = {
    PictureAction.RELEASE: DecisionAction.ALLOW,
    PictureAction.BLOCK: DecisionAction.BLOCK,
    PictureAction.REVIEW: DecisionAction.REVIEW,
}


def fetch_finish(*, claim: Claim, fetched: Mapping[UUID, StoredObject]) -> bool:
    """Record what was fetched and stored, by the id of the picture that was sent."""

    def record(job: Job) -> None:
        pictures = [
            SentPicture(id=id, key=stored.key, sha256=stored.sha256, size=stored.size)
            for id, stored in fetched.items()
        ]
        rows_update(pictures, "key", "sha256", "size")

    return stage_finish(claim=claim, record=record)


def sent_refuse(*, claim: Claim, reason: str, explanation: str) -> bool:
    """What was sent cannot be had or read: the job has failed, before anything is painted."""

    def record(job: Job) -> None:
        job_end(job=job, status=JobStatus.FAILED, reason=reason, explanation=explanation)

    return stage_finish(claim=claim, record=record, onward=Onward.STOP)


def inspection_finish(
    *,
    claim: Claim,
    pictures: Sequence[SentPicture],
    verdicts: Sequence[PictureVerdict],
    model_digests: Mapping[str, str],
) -> bool:
    """Record the verdict on each picture that was sent, those of `decide_sent`.

    One without scores fails the job. One that is blocked blocks a job that would paint; scrutiny
    alone tells it.
    """
    actions = {verdict.action for verdict in verdicts}
    onward = Onward.STOP if actions - {PictureAction.RELEASE} else Onward.NEXT

    def record(job: Job) -> None:
        for picture, verdict in zip(pictures, verdicts, strict=True):
            picture.verdict = verdict.model_dump(mode="json")
            decision_record(
                job=job,
                stage=DecisionStage.INSPECT,
                round=claim.round,
                action=_ACTIONS[verdict.action],
                reason=verdict.reason,
                explanation=verdict.explanation,
                scores={concept.value: score for concept, score in verdict.scores.items()},
                thresholds=policy_of_version(job.policy_version_id).thresholds,
                findings=[finding.concept.value for finding in verdict.findings],
                faces=verdict.faces,
                model_digests=model_digests,
                object_digest=picture.sha256,
            )
        rows_update(pictures, "verdict")
        if PictureAction.REVIEW in actions:
            job_end(
                job=job, status=JobStatus.FAILED, reason="scores_unreadable",
                explanation="There is no verdict on a picture that was sent.",
            )  # fmt: skip
        elif PictureAction.BLOCK in actions and not job.scrutiny_alone:
            job_end(
                job=job, status=JobStatus.BLOCKED, reason="sent_picture_blocked",
                explanation="A picture that was sent did not pass scrutiny; nothing was painted.",
            )  # fmt: skip
        else:
            scrutiny_settle(job=job)

    return stage_finish(claim=claim, record=record, onward=onward)
