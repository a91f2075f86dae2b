"""Verdicts of one policy on many stored looks.

A decision depends on scores only through which of them reach their thresholds. So each such case is
decided once, by `ethical_lens.decide`, and looked up afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from ethical_lens.decide import picture_action, text_action
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, Factor, Label, PictureAction, TextAction
from policies.stored import JudgedPrompt, Look

Verdict = tuple[str, str]
"""Action and reason."""

_UNREADABLE: Verdict = (PictureAction.REVIEW.value, "scores_unreadable")
_NOT_FOUND: Verdict = (PictureAction.REVIEW.value, "region_not_found")
_BLUR, _REPAINT, _RELEASE = (
    one.value for one in (PictureAction.BLUR, PictureAction.REPAINT, PictureAction.RELEASE)
)


class Verdicts:
    """What `policy` makes of prompts and of pictures."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._thresholds = tuple(policy.concepts[concept].threshold for concept in Concept)
        self._factors = {one.value: rule.threshold for one, rule in policy.factors.items()}
        self._case = lru_cache(maxsize=None)(self._decide)
        self._text_case = lru_cache(maxsize=None)(self._decide_text)

    def on_prompt(self, prompt: JudgedPrompt) -> Verdict:
        """As `decide_text`; where nobody reached a verdict, that of then."""
        if not prompt.labels:
            return prompt.action, prompt.reason
        reached = tuple(
            prompt.scores.get(factor, math.inf) >= self._factors.get(factor, 0.0)
            for factor in prompt.factors
        )
        return self._text_case(prompt.labels, prompt.factors, reached)

    def on_picture(self, looks: Sequence[Look]) -> Verdict:
        """As `decide_picture` on the looks, as far as the same way was gone."""
        last = len(looks) - 1
        for index, look in enumerate(looks):
            verdict = self._on_look(look)
            if index == last or verdict[0] != _led_to(look, looks[index + 1]):
                break
        return verdict

    def _on_look(self, look: Look) -> Verdict:
        reached = []
        for score, threshold in zip(look.scores, self._thresholds, strict=True):
            if score is None or not 0.0 <= score <= 1.0:
                return _UNREADABLE
            reached.append(score >= threshold)
        verdict = self._case(
            tuple(reached), look.round, look.repaired, look.under_twenty,
            look.reason == "figure_named",
        )  # fmt: skip
        if verdict[0] == _BLUR and look.reason == "region_not_found":
            return _NOT_FOUND
        return verdict

    def _decide(
        self, reached: tuple[bool, ...], round: int, repaired: bool, young: bool, figure: bool
    ) -> Verdict:
        scores = {
            concept: threshold if there else -1.0
            for concept, threshold, there in zip(Concept, self._thresholds, reached, strict=True)
        }
        found = picture_action(
            scores, self._policy, round=round, repaired=repaired, under_twenty=young,
            figure_found=figure,
        )  # fmt: skip
        return found.action.value, found.reason

    def _decide_text(
        self, labels: tuple[str, ...], factors: tuple[str, ...], reached: tuple[bool, ...]
    ) -> Verdict:
        scores: Mapping[Factor, float] = {
            Factor(factor): math.inf if there else -1.0
            for factor, there in zip(factors, reached, strict=True)
        }
        found = text_action(set(map(Label, labels)), scores.keys(), scores, self._policy)
        return found.action.value, found.reason


STOPPED = frozenset({TextAction.BLOCK.value, TextAction.REVIEW.value})
"""Actions on a prompt after which nothing is painted."""


def _led_to(look: Look, following: Look) -> str:
    """The action that was done between two looks at a picture."""
    if following.round != look.round:
        return _REPAINT
    return _RELEASE if following.edited else _BLUR
