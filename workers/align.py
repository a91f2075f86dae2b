"""Text: the prompt is judged, people get their draws, each picture its prompt."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ethical_lens.policy import Policy
from ethical_lens.results import AttributeDraw, Concept, TextVerdict
from ethical_lens.text.acting import act_on
from ethical_lens.text.aligner import AlignmentError, PromptAligner, PromptRefused, Unfit
from ethical_lens.text.choose import MissingAligner, revise_with, scrutinise_with
from ethical_lens.text.deck import Deck, draw_pictures, kinds_to_draw
from jobs.claims import Claim
from jobs.models import Job
from jobs.recording.alignment import (
    Aligned,
    Draws,
    alignment_finish,
    draws_make,
    judgement_finish,
    prompt_hold,
    prompt_refuse,
    revision_finish,
)
from moderation.policies import policy_of_version
from workers.leasing import finish_alone, finish_together
from workers.loading import aligner
from workers.shadowing import judge_in_shadow

logger = logging.getLogger(__name__)

NO_VERDICT = "no_text_verdict"


def jobs_align(claims: Sequence[Claim]) -> bool:
    """Judge the jobs' prompts; without a verdict a job goes to a person or ends, never on."""
    jobs = Job.objects.in_bulk([claim.job_id for claim in claims])
    aligned: dict[Claim, Aligned] = {}
    others = []
    for claim in claims:
        outcome = _align(claim, jobs[claim.job_id])
        if isinstance(outcome, Aligned):
            aligned[claim] = outcome
        else:
            others.append(finish_alone(claim, outcome))
    onward = finish_together(aligned, alignment_finish) or any(others)
    judge_in_shadow(claims)
    return onward


def _align(claim: Claim, job: Job) -> Aligned | Callable[[], bool]:
    """What becomes of the prompt, or how the stage is to be finished where it is not painted."""
    policy = policy_of_version(job.policy_version_id)
    try:
        verdict, judge = scrutinise_with(_aligners(policy), job.prompt, job.negative_prompt, policy)
        by = {judge.name: judge.version}
        if job.scrutiny_alone:
            return partial(
                judgement_finish, claim=claim, verdict=verdict, aligner=by, policy=policy
            )
        alignment = act_on(
            verdict, job.prompt, job.negative_prompt, policy, judge,
            lambda verdict: _draw(claim, job, verdict, policy),
        )  # fmt: skip
    except AlignmentError as error:
        refused = isinstance(error, PromptRefused) and not job.scrutiny_alone
        finish = prompt_refuse if refused else prompt_hold
        return partial(finish, claim=claim, reason=NO_VERDICT, explanation=str(error))
    return Aligned(alignment, by, policy)


def job_revise(claims: Sequence[Claim]) -> bool:
    """Word anew the prompts of the pictures that were toxic as a whole.

    A picture for which no wording is found goes to a person; the others go on.
    """
    (claim,) = claims
    job = Job.objects.get(pk=claim.job_id)
    policy = policy_of_version(job.policy_version_id)
    editors = _aligners(policy)
    unfit = {}
    for picture in job.pictures.filter(round=claim.round).select_related("current"):
        verdict = (picture.current.verdict if picture.current else None) or {}
        concepts = frozenset(Concept(f["concept"]) for f in verdict.get("findings", ()))
        unfit[picture.id] = Unfit(picture.prompt, concepts)
    revised = revise_with(editors, list(unfit.values()), policy)
    return revision_finish(
        claim=claim,
        prompts=dict(zip(unfit, revised, strict=True)),
        aligner={one.name: one.version for one in editors if one.version},
    )


def _aligners(policy: Policy) -> list[PromptAligner]:
    """Those of the policy, in its order. One that cannot be had here fails whenever it is asked;
    the log says why."""
    found: list[PromptAligner] = []
    for name in policy.aligners:
        try:
            found.append(aligner(name))
        except AlignmentError as error:
            logger.error("aligner %s cannot be had: %s", name, error)
            found.append(MissingAligner(name, str(error)))
    return found


def _draw(claim: Claim, job: Job, verdict: TextVerdict, policy: Policy) -> Draws:
    if job.replay_of is not None:
        return _draw_again(job, job.replay_of, verdict, policy)
    kinds = kinds_to_draw(verdict, policy)
    if not kinds:
        return ((),) * job.n

    def draw(cards: Mapping[str, Any]) -> tuple[Draws, Mapping[str, Any]]:
        decks = {
            kind: Deck() if left is None else Deck.model_validate(left)
            for kind, left in cards.items()
        }
        draws, left = draw_pictures(decks, verdict, policy, job.n, random.SystemRandom())
        return draws, {kind: deck.model_dump(mode="json") for kind, deck in left.items()}

    return draws_make(claim=claim, kinds=kinds, draw=draw)


def _draw_again(job: Job, original: Job, verdict: TextVerdict, policy: Policy) -> Draws:
    """The draws of the original, where the same people are found in the same words again; else
    fresh ones from decks of this job alone. Those of the tenant stay as they are."""
    before = TextVerdict.model_validate(original.text_verdict)
    drawn = [picture.draws for picture in job.pictures.order_by("index")]
    if None not in drawn and _people(before) == _people(verdict):
        return tuple(tuple(map(AttributeDraw.model_validate, own or ())) for own in drawn)
    return draw_pictures({}, verdict, policy, job.n, random.SystemRandom())[0]


def _people(verdict: TextVerdict) -> object:
    return verdict.prompt, verdict.clusters, verdict.factors
