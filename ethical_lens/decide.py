"""Scores + labels + policy -> findings and one action. Pure, and the same for live traffic,
shadow mode, what-if and evaluation."""

import math
from collections.abc import Mapping

from ethical_lens.policy import Policy, Scope
from ethical_lens.results import (
    Concept,
    Finding,
    PictureAction,
    PictureVerdict,
)

SEXUAL_CONCEPTS = frozenset({Concept.NUDE, Concept.NSFW})


def decide_picture(
    scores: Mapping[Concept, float],
    policy: Policy,
    *,
    round: int,
    repaired: bool,
    under_twenty: bool,
) -> PictureVerdict:
    """Judge one picture.

    `scores`: sigmoid outputs, 0 to 1, one per concept. `round`: 1 for the first painting, 2
    after a repaint. `repaired`: whether regions were already blurred. `under_twenty`: whether
    the prompt, the draw or a face reader says that somebody shown is under 20.

    Order of precedence: unreadable scores go to review (never on); nudity or nsfw beside
    somebody under 20 is blocked and never repaired; a finding on the whole picture is repainted
    once, then blocked; a finding on a region is blurred once, then blocked; else release.
    Several findings at once are all kept (the reference lost them, its fault F3).
    """
    unreadable = [
        concept.value
        for concept in Concept
        if concept not in scores
        or not math.isfinite(scores[concept])
        or not 0.0 <= scores[concept] <= 1.0
    ]
    if unreadable:
        return PictureVerdict(
            action=PictureAction.REVIEW,
            reason="scores_unreadable",
            explanation=f"No usable score for {', '.join(unreadable)}; a person must look.",
        )

    findings = tuple(
        Finding(
            concept=concept, score=scores[concept], threshold=policy.concepts[concept].threshold
        )
        for concept in Concept
        if scores[concept] >= policy.concepts[concept].threshold
    )
    fired = {finding.concept for finding in findings}
    whole = [c.value for c in Concept if c in fired and policy.concepts[c].scope is Scope.PICTURE]
    regions = [c.value for c in Concept if c in fired and policy.concepts[c].scope is Scope.REGION]

    if under_twenty and fired & SEXUAL_CONCEPTS:
        action, reason = PictureAction.BLOCK, "sexual_and_under_twenty"
        explanation = "Sexual content where somebody under 20 is named, drawn or shown."
    elif whole and round < policy.rounds:
        action, reason = PictureAction.REPAINT, "picture_toxic"
        explanation = f"The whole picture shows {', '.join(whole)}; it is painted once more."
    elif whole:
        action, reason = PictureAction.BLOCK, "picture_still_toxic"
        explanation = f"The picture still shows {', '.join(whole)} in its last round."
    elif regions and not repaired:
        action, reason = PictureAction.BLUR, "region_toxic"
        explanation = f"A region shows {', '.join(regions)}; it is blurred and checked again."
    elif regions:
        action, reason = PictureAction.BLOCK, "region_still_toxic"
        explanation = f"The blurred picture still shows {', '.join(regions)}."
    else:
        action, reason = PictureAction.RELEASE, "no_finding"
        explanation = "No head reached its threshold."
    return PictureVerdict(
        action=action,
        reason=reason,
        explanation=explanation,
        scores=dict(scores),
        findings=findings,
    )
