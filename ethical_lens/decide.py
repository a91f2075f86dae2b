"""Scores + labels + policy -> findings and one action. Pure, and the same for live traffic,
shadow mode, what-if and evaluation."""

import math
from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType
from typing import Final, NamedTuple

from ethical_lens.policy import DEFAULT_CONCEPTS, DEFAULT_LABELS, HeadAction, Policy
from ethical_lens.results import (
    TOXICITY_LABELS,
    Concept,
    Factor,
    Finding,
    Label,
    PictureAction,
    PictureVerdict,
    ReadFace,
    TextAction,
    TextDecision,
    TextVerdict,
)

SEXUAL_FLOORS: Final[Mapping[Concept, float]] = MappingProxyType(
    {concept: DEFAULT_CONCEPTS[concept].threshold for concept in (Concept.NSFW, Concept.NUDE)}
)
"""Beside somebody under 20 these heads fire from here on at the latest: no policy's threshold is
above the published one for that."""
SEXUAL_CONCEPTS = frozenset(SEXUAL_FLOORS)
UNDER_TWENTY: Final = "sexual_and_under_twenty"
"""The reason code of what is refused because nothing sexual ever meets a minor."""

_EXPLANATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sexual_and_under_twenty": "Sexual content where {said} says that somebody is under 20.",
        "head_blocks": "The picture shows {shown}, which the policy blocks.",
        "head_asks_a_person": "The picture shows {shown}; the policy wants a person to look.",
        "picture_toxic": "The whole picture shows {shown}; it is painted once more.",
        "picture_still_toxic": "The picture still shows {shown} in its last round.",
        "region_toxic": "A region shows {shown}; it is blurred and checked again.",
        "region_still_toxic": "The blurred picture still shows {shown}.",
        "figure_named": "The face of a public figure that the prompt names was found; it is "
        "blurred.",
        "score_near_threshold": "The score of {shown} is just below its threshold; a person must "
        "look.",
        "score_just_above_threshold": "The score of {shown} is just above its threshold; a person "
        "must look.",
        "no_finding": "No head reached its threshold.",
    }
)
_REPAIRS: Final = frozenset({PictureAction.BLUR, PictureAction.REPAINT})
_STRICTNESS: Final = tuple(TextAction)
_MEANS: Final[Mapping[TextAction, str]] = MappingProxyType(
    {
        TextAction.ALLOW: "it is painted as it was written",
        TextAction.REWRITE: "it is painted as it was reworded",
        TextAction.REVIEW: "a person decides",
        TextAction.BLOCK: "it is blocked",
    }
)
_REASONS: Final[Mapping[TextAction, str]] = MappingProxyType(
    {
        TextAction.ALLOW: "prompt_safe",
        TextAction.REWRITE: "prompt_rewritten",
        TextAction.REVIEW: "policy_asks_a_person",
        TextAction.BLOCK: "prompt_blocked",
    }
)


class JudgedPicture(NamedTuple):
    """What is done with a picture; `fired` are the heads that are findings, `because` those of
    them that ask for this."""

    action: PictureAction
    reason: str
    fired: tuple[Concept, ...] = ()
    because: tuple[Concept, ...] = ()


def picture_action(
    scores: Mapping[Concept, float],
    policy: Policy,
    *,
    round: int,
    repaired: bool,
    under_twenty: bool,
    figure_found: bool = False,
) -> JudgedPicture:
    """What is done with a picture whose scores can be read; `under_twenty` by whatever says so.

    Order of precedence: nudity or nsfw beside somebody under 20 is blocked and never repaired,
    whatever the policy allows; then the strictest of what the heads that fire ask for: block,
    review, repaint (blocked in the last round), blur (blocked where it was done already); of these
    repairs a person is asked first where no score that wants them is beyond `review_band_above`;
    the face of a named figure is blurred even where no head fires; where a score is within
    `review_band` below its threshold a person looks; else release.
    """
    reached = tuple(c for c in Concept if scores[c] >= policy.concepts[c].threshold)
    sexual = _sexual(scores, policy)
    if under_twenty and sexual:
        shown = tuple(c for c in Concept if c in {*reached, *sexual})
        return JudgedPicture(PictureAction.BLOCK, UNDER_TWENTY, shown, shown)
    fired = tuple(c for c in reached if policy.concepts[c].does is not HeadAction.ALLOW)
    for asked in (HeadAction.BLOCK, HeadAction.REVIEW, HeadAction.REPAINT, HeadAction.BLUR):
        because = tuple(c for c in fired if policy.concepts[c].does is asked)
        if because:
            spent = repaired if asked is HeadAction.BLUR else round >= policy.rounds
            action, reason = _asked(asked, spent)
            if action in _REPAIRS and not any(_surely(scores[c], policy, c) for c in because):
                action, reason = PictureAction.REVIEW, "score_just_above_threshold"
            return JudgedPicture(action, reason, fired, because)
    if figure_found and not repaired:
        return JudgedPicture(PictureAction.BLUR, "figure_named")
    near = tuple(c for c in Concept if _near_threshold(scores[c], policy, c))
    if near:
        return JudgedPicture(PictureAction.REVIEW, "score_near_threshold", because=near)
    return JudgedPicture(PictureAction.RELEASE, "no_finding")


def _near_threshold(score: float, policy: Policy, concept: Concept) -> bool:
    """Whether the score is within the band below a threshold that is acted on."""
    rule = policy.concepts[concept]
    acts = rule.does is not HeadAction.ALLOW and rule.threshold <= 1.0
    return acts and rule.threshold - policy.review_band <= score < rule.threshold


def _surely(score: float, policy: Policy, concept: Concept) -> bool:
    """Whether a score that reaches its threshold is beyond the band above it."""
    return score >= policy.concepts[concept].threshold + policy.review_band_above


def _asked(asked: HeadAction, spent: bool) -> tuple[PictureAction, str]:
    """Action and reason; `spent`: the repair that is asked for cannot be made any more."""
    if asked is HeadAction.BLOCK:
        return PictureAction.BLOCK, "head_blocks"
    if asked is HeadAction.REVIEW:
        return PictureAction.REVIEW, "head_asks_a_person"
    if asked is HeadAction.REPAINT:
        if spent:
            return PictureAction.BLOCK, "picture_still_toxic"
        return PictureAction.REPAINT, "picture_toxic"
    if spent:
        return PictureAction.BLOCK, "region_still_toxic"
    return PictureAction.BLUR, "region_toxic"


def faces_matter(scores: Mapping[Concept, float], policy: Policy) -> bool:
    """Whether what a face says of somebody's age can change what is done with the picture."""
    return bool(_sexual(scores, policy))


def _sexual(scores: Mapping[Concept, float], policy: Policy) -> tuple[Concept, ...]:
    """The sexual concepts that a picture shows, for the rule that none ever meets a minor."""
    return tuple(
        c for c in SEXUAL_FLOORS if scores.get(c, 0.0) >= _fires_at(c, policy, strict=True)
    )


def _fires_at(concept: Concept, policy: Policy, *, strict: bool) -> float:
    """The score from which on a concept is found; `strict`: beside somebody under 20."""
    threshold = policy.concepts[concept].threshold
    return min(threshold, SEXUAL_FLOORS.get(concept, threshold)) if strict else threshold


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

    Unreadable scores go to review, never on; else see `picture_action`. Several findings at once
    are all kept (the reference lost them, its fault F3).
    """
    if unreadable := _unreadable(scores):
        return PictureVerdict(
            action=PictureAction.REVIEW,
            reason="scores_unreadable",
            explanation=f"No usable score for {', '.join(unreadable)}; a person must look.",
            faces=tuple(faces),
        )

    seen_under_twenty = any(face.under_twenty for face in faces)
    judged = picture_action(
        scores, policy, round=round, repaired=repaired,
        under_twenty=under_twenty or seen_under_twenty, figure_found=figure_found,
    )  # fmt: skip
    said = "prompt or draw" if under_twenty else "the face reader"
    shown = ", ".join(concept.value for concept in judged.because)
    return PictureVerdict(
        action=judged.action,
        reason=judged.reason,
        explanation=_EXPLANATIONS[judged.reason].format(shown=shown, said=said),
        scores=dict(scores),
        findings=tuple(
            Finding(
                concept=concept,
                score=scores[concept],
                threshold=_fires_at(concept, policy, strict=judged.reason == UNDER_TWENTY),
            )
            for concept in judged.fired
        ),
        faces=tuple(faces),
    )


def decide_sent(
    scores: Mapping[Concept, float],
    policy: Policy,
    *,
    under_twenty: bool,
    sexual: bool,
    faces: Sequence[ReadFace] = (),
) -> PictureVerdict:
    """Judge a picture that somebody sent: released, blocked, or without a verdict (review).

    The same heads and thresholds as of painted pictures, but nothing is repaired: whatever fires
    blocks. `under_twenty`: whether a text beside it speaks of somebody under 20; `sexual`: whether
    it touches sexual content, which never meets a face under 20. The rest as `decide_picture`.
    """
    verdict = decide_picture(
        scores, policy, round=policy.rounds, repaired=True, under_twenty=under_twenty, faces=faces
    )
    if verdict.reason in {"scores_unreadable", UNDER_TWENTY}:
        return verdict
    if sexual and any(face.under_twenty for face in faces):
        reason = UNDER_TWENTY
        explanation = "Sexual content where the face reader says that somebody is under 20."
    elif verdict.findings:
        reason = "sent_picture_toxic"
        shown = ", ".join(finding.concept.value for finding in verdict.findings)
        explanation = f"The picture that was sent shows {shown}."
    else:
        return verdict
    blocked = {"action": PictureAction.BLOCK, "reason": reason, "explanation": explanation}
    return verdict.model_copy(update=blocked)


def _unreadable(scores: Mapping[Concept, float]) -> list[str]:
    return [
        concept.value
        for concept in Concept
        if concept not in scores
        or not math.isfinite(scores[concept])
        or not 0.0 <= scores[concept] <= 1.0
    ]


def decide_text(verdict: TextVerdict, policy: Policy) -> TextDecision:
    """What is done with a prompt: see `text_action`."""
    found = text_action(
        verdict.labels, verdict.factors, verdict.factor_scores, policy, minor=verdict.minor
    )
    told = verdict.explanation
    if found.reason == UNDER_TWENTY:
        told += " Nothing sexual is painted of somebody under 20, whatever the policy says."
    elif found.action is not DEFAULT_LABELS[verdict.toxicity]:
        told += f" The policy says {found.action.value} for {', '.join(found.because)}:"
        told += f" {_MEANS[found.action]}."
    return TextDecision(action=found.action, reason=found.reason, explanation=told)


class JudgedText(NamedTuple):
    """What is done with a prompt; `because`: the labels and factors that ask for it."""

    action: TextAction
    reason: str
    because: tuple[str, ...]


def text_action(
    labels: Set[Label],
    factors: Set[Factor],
    factor_scores: Mapping[Factor, float],
    policy: Policy,
    *,
    minor: bool,
) -> JudgedText:
    """The strictest of what the labels and the factors of a prompt ask for. `minor`: it speaks of
    somebody under 20; whatever is sexual is blocked then, whatever the policy says.

    A factor with a rule asks for what the rule says where its score reaches the threshold, and for
    nothing below it; the others ask for what the K label does. No rule makes K3 milder.
    """
    if minor and Factor.SEXUAL in factors:
        return JudgedText(TextAction.BLOCK, UNDER_TWENTY, (Factor.SEXUAL.value,))
    toxicity = next(iter(labels & TOXICITY_LABELS))
    by_label = policy.label_does(toxicity)
    wanted: dict[str, TextAction] = {}
    for factor in sorted(factors):
        rule = policy.factors.get(factor)
        if rule is None:
            wanted[factor.value] = by_label
        else:
            found = factor_scores.get(factor, math.inf) >= rule.threshold
            wanted[factor.value] = rule.action if found else TextAction.ALLOW
    if not wanted or toxicity is Label.K3:
        wanted[toxicity.value] = by_label
    if Label.A1 in labels:
        wanted[Label.A1.value] = policy.label_does(Label.A1)
    action = max(wanted.values(), key=_STRICTNESS.index)
    reason = "prompt_allowed" if action is TextAction.ALLOW and factors else _REASONS[action]
    return JudgedText(action, reason, tuple(n for n, one in wanted.items() if one is action))
