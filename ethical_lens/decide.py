"""Scores + labels + policy -> findings and one action. Pure, and the same for live traffic,
shadow mode, what-if and evaluation."""

import math
from collections.abc import Mapping, Sequence

from ethical_lens.policy import Policy, Scope
from ethical_lens.results import (
    Concept,
    Finding,
    PictureAction,
    PictureVerdict,
    ReadFace,
)

SEXUAL_CONCEPTS = frozenset({Concept.NUDE, Concept.NSFW})


def decide_picture(
    scores: Mapping[Concept, float],
    policy: Policy,
    *,
    round: int,
    repaired: bool,
    under_twenty: bool,
    faces: Sequence[ReadFace] = (),
    figure_found: bool = False,
) -> PictureVerdict:
    """Judge one picture.

    `scores`: sigmoid outputs, 0 to 1, one per concept. `round`: 1 for the first painting, 2
    after a repaint. `repaired`: whether regions were already blurred. `under_twenty`: whether
    the prompt or the draw says that somebody shown is under 20. `faces`: what a face reader saw,
    which can say the same. `figure_found`: whether the face of a public figure that the prompt
    names (A1) was found in the picture.

    Order of precedence: unreadable scores go to review (never on); nudity or nsfw beside
    somebody under 20 is blocked and never repaired; a finding on the whole picture is repainted
    once, then blocked; a finding on a region is blurred once, then blocked; the face of a named
    figure is blurred even where no head fires; else release.
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
            faces=tuple(faces),
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

    seen_under_twenty = any(face.under_twenty for face in faces)
    if (under_twenty or seen_under_twenty) and fired & SEXUAL_CONCEPTS:
        action, reason = PictureAction.BLOCK, "sexual_and_under_twenty"
        said = "prompt or draw" if under_twenty else "the face reader"
        explanation = f"Sexual content where {said} says that somebody is under 20."
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
    elif figure_found and not repaired:
        action, reason = PictureAction.BLUR, "figure_named"
        explanation = "The face of a public figure that the prompt names was found; it is blurred."
    else:
        action, reason = PictureAction.RELEASE, "no_finding"
        explanation = "No head reached its threshold."
    return PictureVerdict(
        action=action,
        reason=reason,
        explanation=explanation,
        scores=dict(scores),
        findings=findings,
        faces=tuple(faces),
    )
