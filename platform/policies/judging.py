"""What a policy would make of what was judged: the stored looks, decided anew."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple
from uuid import UUID

from ethical_lens.decide import picture_action, text_action
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction, TextAction
from policies.stored import JudgedPrompt, Look, Selection, pictures_stored, prompts_stored


class Judged(NamedTuple):
    """What was made of a prompt or, with `picture`, of a picture, and what the policy would."""

    job: UUID
    picture: UUID | None
    live: str
    live_reason: str
    then: str
    then_reason: str
    scores: dict[str, float]

    @property
    def flips(self) -> bool:
        """Whether the policy would do otherwise."""
        return self.live != self.then


def judged(policy: Policy, selection: Selection) -> Iterator[Judged]:
    """All prompts and pictures of the selection under `policy`, prompts first.

    Scores are those that were stored: a picture that would be blurred or painted anew, and was
    not, ends as `blur` or `repaint`, since nobody knows what would have come of it. The pictures
    of a prompt that would be blocked or held are blocked or held.
    """
    stopped: dict[UUID, tuple[str, str]] = {}
    for prompt in prompts_stored(selection):
        action, reason = prompt_then(prompt, policy)
        if action in {TextAction.BLOCK, TextAction.REVIEW}:
            stopped[prompt.job] = (action, reason)
        scores = {factor.value: score for factor, score in prompt.factor_scores.items()}
        yield Judged(prompt.job, None, prompt.action, prompt.reason, action, reason, scores)
    for looks in pictures_stored(selection):
        first, last = looks[0], looks[-1]
        action, reason = stopped.get(first.job) or picture_then(looks, policy)
        scores = {concept.value: score for concept, score in (first.scores or {}).items()}
        yield Judged(first.job, first.picture, last.action, last.reason, action, reason, scores)


def prompt_then(prompt: JudgedPrompt, policy: Policy) -> tuple[str, str]:
    """Action and reason of `decide_text`; where nobody reached a verdict, those of then."""
    if not prompt.labels:
        return prompt.action, prompt.reason
    found = text_action(prompt.labels, prompt.factors, prompt.factor_scores, policy)
    return found.action.value, found.reason


def picture_then(looks: Sequence[Look], policy: Policy) -> tuple[str, str]:
    """Action and reason of `decide_picture` on the looks, as far as the same way was gone."""
    for look, following in zip_longest(looks, looks[1:]):
        action, reason = _look_then(look, policy)
        blurred = action == PictureAction.BLUR and following and following.repaired
        repainted = (
            action == PictureAction.REPAINT and following and following.round == look.round + 1
        )
        if not (blurred or repainted):
            break
    return action, reason


def _look_then(look: Look, policy: Policy) -> tuple[str, str]:
    if look.scores is None:
        return PictureAction.REVIEW.value, "scores_unreadable"
    if any(not 0.0 <= score <= 1.0 for score in look.scores.values()):
        return PictureAction.REVIEW.value, "scores_unreadable"
    found = picture_action(
        look.scores,
        policy,
        round=look.round,
        repaired=look.repaired,
        under_twenty=look.under_twenty,
        figure_found=look.reason == "figure_named",
    )
    if found.action is PictureAction.BLUR and look.reason == "region_not_found":
        return PictureAction.REVIEW.value, "region_not_found"
    return found.action.value, found.reason
