"""Text: the prompt is judged, people get their draws, each picture its prompt."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from ethical_lens.text.offline import load_aligner

from ethical_lens.policy import Policy
from ethical_lens.results import ClusterType, Concept, TextVerdict
from ethical_lens.text.aligner import AlignmentError, PromptAligner, UnreadablePrompt
from ethical_lens.text.deck import Deck, draw
from jobs.claims import Claim
from jobs.models import Job
from jobs.recording.alignment import (
    Draws,
    alignment_finish,
    draws_make,
    prompt_hold,
    revision_finish,
)


def job_align(claims: Sequence[Claim]) -> bool:
    """Judge the job's prompt; without a verdict the job goes to a person, never on."""
    (claim,) = claims
    job = Job.objects.select_related("policy_version").get(pk=claim.job_id)
    policy = job.policy_version.parsed
    try:
        aligner, verdict = _scrutinise(job, policy)
        draws: Draws = [] if verdict.blocked else _draw(claim, job, verdict, policy)
        alignment = aligner.merge(verdict, draws, policy)
    except AlignmentError as error:
        return prompt_hold(claim=claim, reason=_reason(error), explanation=str(error))
    return alignment_finish(
        claim=claim, alignment=alignment, aligner={aligner.name: aligner.version}
    )


def job_revise(claims: Sequence[Claim]) -> bool:
    """Word anew the prompts of the pictures that were toxic as a whole."""
    (claim,) = claims
    job = Job.objects.select_related("policy_version").get(pk=claim.job_id)
    policy = job.policy_version.parsed
    aligner = load_aligner(policy.aligners[0])
    prompts = {}
    try:
        for picture in job.pictures.filter(round=claim.round).select_related("current"):
            verdict = (picture.current.verdict if picture.current else None) or {}
            concepts = frozenset(Concept(f["concept"]) for f in verdict.get("findings", ()))
            prompts[picture.id] = aligner.revise(picture.prompt, concepts, policy)
    except AlignmentError as error:
        return prompt_hold(claim=claim, reason=_reason(error), explanation=str(error))
    return revision_finish(claim=claim, prompts=prompts, aligner={aligner.name: aligner.version})


def _scrutinise(job: Job, policy: Policy) -> tuple[PromptAligner, TextVerdict]:
    """The first aligner of the policy's order that comes to a verdict, and that verdict."""
    failures = []
    for name in policy.aligners:
        try:
            aligner = load_aligner(name)
            return aligner, aligner.scrutinise(job.prompt, job.negative_prompt, policy)
        except AlignmentError as error:
            failures.append(error)
    raise failures[-1]


def _draw(claim: Claim, job: Job, verdict: TextVerdict, policy: Policy) -> Draws:
    people = [
        (index, cluster)
        for index, cluster in enumerate(verdict.clusters)
        if cluster.type is ClusterType.ONE and cluster.open_attributes
    ]

    def draw_all(cards: Mapping[str, Any]) -> tuple[Draws, Mapping[str, Any]]:
        decks = {
            kind: Deck.model_validate(left) if left is not None else Deck()
            for kind, left in cards.items()
        }
        shuffler = random.SystemRandom()
        draws: Draws = []
        for _ in range(job.n):
            own = []
            for index, cluster in people:
                drawn, decks[cluster.kind] = draw(
                    decks[cluster.kind], policy, index, cluster, verdict.factors, shuffler
                )
                own.append(drawn)
            draws.append(tuple(own))
        return draws, {kind: deck.model_dump(mode="json") for kind, deck in decks.items()}

    return draws_make(claim=claim, kinds=[c.kind for _, c in people], draw=draw_all)


def _reason(error: AlignmentError) -> str:
    return "prompt_unreadable" if isinstance(error, UnreadablePrompt) else "no_text_verdict"
