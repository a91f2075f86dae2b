"""What `align` and `revise` write."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.rows import rows_insert, rows_update
from ethical_lens.decide import decide_text
from ethical_lens.policy import Policy
from ethical_lens.results import Alignment, AttributeDraw, TextAction, TextDecision, TextVerdict
from jobs.claims import Claim, ClaimLost, Onward, stage_finish, stages_finish
from jobs.ending import Ending, job_end, job_hold, jobs_end, scrutiny_settle
from jobs.models import Deck, Job, Picture
from jobs.states import JobStatus, PictureStatus, StageState
from moderation.decisions import decision_record
from moderation.models import Decision, DecisionAction, DecisionStage

Cards = dict[str, Any] | None
Draws = tuple[tuple[AttributeDraw, ...], ...]

_ALIGNED = """
WITH judged AS (
    UPDATE jobs_job job SET text_verdict = aligned.verdict
    FROM jsonb_to_recordset(%(verdicts)s) AS aligned(job uuid, verdict jsonb)
    WHERE job.id = aligned.job
)
UPDATE jobs_picture picture SET prompt = aligned.prompt, draws = aligned.draws
FROM jsonb_to_recordset(%(prompts)s) AS aligned(job uuid, index int, prompt text, draws jsonb)
WHERE picture.job_id = aligned.job AND picture.index = aligned.index
"""


def draws_make(
    *,
    claim: Claim,
    kinds: Iterable[str],
    draw: Callable[[Mapping[str, Cards]], tuple[Draws, Mapping[str, Cards]]],
) -> Draws:
    """Draw attributes for every picture of the claim's job, once: a retry gets the same draws.

    `draw` gets the cards left per kind of person (None: a new deck) and returns the draws per
    picture and the cards left afterwards. The decks are locked in key order meanwhile.

    Raises `ClaimLost` where the stage is no longer the holder's.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=claim.job_id)
        if not job.stages.filter(
            pk=claim.stage_id, token=claim.token, state=StageState.RUNNING
        ).exists():
            raise ClaimLost(f"stage {claim.stage_id} is no longer held")
        pictures = list(job.pictures.all())
        if all(picture.draws is not None for picture in pictures):
            return tuple(
                tuple(AttributeDraw.model_validate(d) for d in picture.draws or ())
                for picture in pictures
            )
        names = sorted(set(kinds))
        key = {"tenant_id": job.tenant_id, "policy_version_id": job.policy_version_id}
        Deck.objects.bulk_create([Deck(**key, kind=n) for n in names], ignore_conflicts=True)
        decks = list(
            Deck.objects.select_for_update().filter(**key, kind__in=names).order_by("kind")
        )
        draws, cards = draw({deck.kind: deck.cards for deck in decks})
        for deck in decks:
            deck.cards = cards[deck.kind]
        Deck.objects.bulk_update(decks, ["cards"])
        for picture, own in zip(pictures, draws, strict=True):
            picture.draws = [d.model_dump(mode="json") for d in own]
        Picture.objects.bulk_update(pictures, ["draws"])
        return draws


@dataclass(frozen=True, slots=True)
class Aligned:
    """What became of a job's prompt, who judged it (aligners by name, with their versions), and
    the job's policy."""

    alignment: Alignment
    aligner: Mapping[str, str]
    policy: Policy

    @property
    def decision(self) -> TextDecision:
        """What the policy wants done about the verdict."""
        return decide_text(self.alignment.verdict, self.policy)


def alignment_finish(aligned: Mapping[Claim, Aligned]) -> bool:
    """Record each verdict on a prompt and the prompt of each picture. What the policy blocks ends
    its job, what it wants a person to look at holds it."""

    decided = {claim.job_id: each.decision for claim, each in aligned.items()}
    onward = {
        job_id: Onward.STOP
        for job_id, decision in decided.items()
        if decision.action not in {TextAction.ALLOW, TextAction.REWRITE}
    }

    def record(jobs: Mapping[UUID, Job]) -> None:
        decisions: list[Decision] = []
        judged: list[dict[str, Any]] = []
        prompts: list[dict[str, Any]] = []
        for claim, each in aligned.items():
            job = jobs.get(claim.job_id)
            if job is None:
                continue
            verdict = each.alignment.verdict
            job.text_verdict = verdict.model_dump(mode="json")
            _decide(job, verdict, decided[job.id], each.aligner, among=decisions)
            if job.id in onward:
                continue
            judged.append({"job": str(job.id), "verdict": job.text_verdict})
            prompts += [
                {"job": str(job.id), "index": index}
                | picture.model_dump(mode="json", include={"prompt", "draws"})
                for index, picture in enumerate(each.alignment.pictures)
            ]
        rows_insert(decisions)
        stopped = [(jobs[job_id], decided[job_id]) for job_id in onward if job_id in jobs]
        jobs_end(
            [
                Ending(job, JobStatus.BLOCKED, decision.reason, decision.explanation)
                for job, decision in stopped
                if decision.action is TextAction.BLOCK
            ]
        )
        for job, decision in stopped:
            if decision.action is TextAction.REVIEW:
                job_hold(job=job, reason=decision.reason, explanation=decision.explanation)
        parameters: dict[str, Any] = {  # the stubs of execute() do not know Jsonb
            "verdicts": Jsonb(judged), "prompts": Jsonb(prompts)
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_ALIGNED, parameters)

    return stages_finish(claims=list(aligned), record=record, onward=onward)


def judgement_finish(
    *, claim: Claim, verdict: TextVerdict, aligner: Mapping[str, str], policy: Policy
) -> bool:
    """Record the verdict on the text of a job of scrutiny alone, whatever it is."""

    decision = decide_text(verdict, policy)

    def record(job: Job) -> None:
        job.text_verdict = verdict.model_dump(mode="json")
        rows_update([job], "text_verdict")
        _decide(job, verdict, decision, aligner)
        scrutiny_settle(job=job)

    return stage_finish(claim=claim, record=record)


def revision_finish(
    *, claim: Claim, prompts: Mapping[UUID, str | None], aligner: Mapping[str, str]
) -> bool:
    """Record the new wording of each picture that is painted again, by picture id.

    A picture without one goes to review.
    """

    def record(job: Job) -> None:
        pictures = list(job.pictures.filter(round=claim.round))
        for picture in pictures:
            wording = prompts[picture.id]
            if wording is None:
                picture.status, picture.reason = PictureStatus.IN_REVIEW.value, "no_new_wording"
            else:
                picture.prompt, picture.steps_done = wording, 0
            picture.save(update_fields=["prompt", "steps_done", "status", "reason"])
            decision_record(
                job=job,
                picture=picture,
                stage=DecisionStage.REVISE,
                round=claim.round,
                action=DecisionAction.REWRITE if wording else DecisionAction.REVIEW,
                reason="revised_for_repaint" if wording else "no_new_wording",
                explanation="The prompt was worded anew after what its picture showed."
                if wording
                else "No wording was found without what the picture showed; a person must look.",
                model_digests=aligner,
            )

    return stage_finish(claim=claim, record=record)


def prompt_hold(*, claim: Claim, reason: str, explanation: str) -> bool:
    """No verdict on a text could be reached: a person must look, nothing goes on. Scrutiny alone,
    which asks for nothing else, has failed."""

    def record(job: Job) -> None:
        decision_record(
            job=job,
            stage=DecisionStage(claim.stage.name.value),
            round=claim.round,
            action=DecisionAction.REVIEW,
            reason=reason,
            explanation=explanation,
        )
        if job.scrutiny_alone:
            job_end(job=job, status=JobStatus.FAILED, reason=reason, explanation=explanation)
        else:
            job_hold(job=job, reason=reason, explanation=explanation)

    return stage_finish(claim=claim, record=record, onward=Onward.STOP)


def prompt_refuse(*, claim: Claim, reason: str, explanation: str) -> bool:
    """No verdict on the prompt could be reached, and the policy blocks it for want of one."""

    def record(job: Job) -> None:
        decision_record(
            job=job,
            stage=DecisionStage.ALIGN,
            round=1,
            action=DecisionAction.BLOCK,
            reason=reason,
            explanation=explanation,
        )
        job_end(job=job, status=JobStatus.BLOCKED, reason=reason, explanation=explanation)

    return stage_finish(claim=claim, record=record, onward=Onward.STOP)


def _decide(
    job: Job,
    verdict: TextVerdict,
    decision: TextDecision,
    aligner: Mapping[str, str],
    *,
    among: list[Decision] | None = None,
) -> None:
    decision_record(
        job=job,
        stage=DecisionStage.ALIGN,
        round=1,
        action=DecisionAction(decision.action.value),
        reason=decision.reason,
        explanation=decision.explanation,
        labels=sorted(verdict.labels),
        factors=sorted(verdict.factors),
        scores={"toxicity": verdict.score}
        | {factor.value: score for factor, score in verdict.factor_scores.items()},
        model_digests=aligner,
        among=among,
    )
