"""Verdicts of one policy on many stored looks.

A decision depends on scores only through which of them reach their thresholds, or come near them.
So each such case is decided once, by `ethical_lens.decide`, and looked up afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ethical_lens.decide import SEXUAL_FLOORS, picture_action, text_action
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, Factor, Label, PictureAction, TextAction
from policies.stored import JudgedPrompt, Look

Verdict = tuple[str, str]
"""Action and reason."""

BELOW, NEAR, REACHED, SURE, UNREADABLE = "0", "1", "2", "3", "u"
"""Where a score stands to its threshold: `NEAR` is within the `review_band` below it, `SURE` is
beyond the `review_band_above`."""
AT_FLOOR: Final = 4
"""More by so much where it is at or above what counts as sexual beside a minor."""


class LookCase(NamedTuple):
    """All of a look that a verdict depends on. `levels`: where each score stands, in the order of
    `Concept`; the rest as in `policies.stored.Look`."""

    levels: str
    round: int
    edited: bool
    action: str
    reason: str
    under_twenty: bool


_UNREADABLE: Verdict = (PictureAction.REVIEW.value, "scores_unreadable")
_NOT_FOUND: Verdict = (PictureAction.REVIEW.value, "region_not_found")
_BLUR, _REPAINT, _RELEASE = (
    one.value for one in (PictureAction.BLUR, PictureAction.REPAINT, PictureAction.RELEASE)
)


class Verdicts:
    """What `policy` makes of prompts and of pictures."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.thresholds: Final = tuple(policy.concepts[c].threshold for c in Concept)
        self.near: Final = tuple(one - policy.review_band for one in self.thresholds)
        self.sure: Final = tuple(one + policy.review_band_above for one in self.thresholds)
        self.floors: Final = tuple(SEXUAL_FLOORS.get(c, math.inf) for c in Concept)
        self.factors: Final = {one.value: rule.threshold for one, rule in policy.factors.items()}
        self.on_looks = lru_cache(maxsize=None)(self._on_looks)
        self.on_text = lru_cache(maxsize=None)(self._on_text)

    @property
    def cuts(self) -> tuple[tuple[float, ...], ...]:
        """For each kind of cut, highest first, the one of each concept; the floors last."""
        return self.sure, self.thresholds, self.near, self.floors

    def on_prompt(self, prompt: JudgedPrompt) -> Verdict:
        """As `decide_text`; where nobody reached a verdict, that of then."""
        if not prompt.labels:
            return prompt.action, prompt.reason
        reached = tuple(
            factor
            for factor in prompt.factors
            if prompt.scores.get(factor, math.inf) >= self.factors.get(factor, 0.0)
        )
        return self.on_text(prompt.labels, prompt.factors, reached, prompt.minor)

    def on_picture(self, looks: Sequence[Look]) -> Verdict:
        """As `decide_picture` on the looks, as far as the same way was gone."""
        return self.on_looks(tuple(map(self._case_of, looks)))

    def _case_of(self, look: Look) -> LookCase:
        levels = "".join(map(_level, look.scores, *self.cuts))
        return LookCase(
            levels, look.round, look.edited, look.action, look.reason, look.under_twenty
        )

    def _on_looks(self, looks: tuple[LookCase, ...]) -> Verdict:
        last = len(looks) - 1
        for index, look in enumerate(looks):
            repaired = index > 0 and looks[index - 1].round == look.round
            verdict = self._on_look(look, repaired)
            if index == last or verdict[0] != _led_to(look, looks[index + 1]):
                break
        return verdict

    def _on_look(self, look: LookCase, repaired: bool) -> Verdict:
        if UNREADABLE in look.levels:
            return _UNREADABLE
        scores = {
            concept: _least(level, *cuts)
            for concept, level, *cuts in zip(Concept, look.levels, *self.cuts, strict=True)
        }
        found = picture_action(
            scores, self._policy, round=look.round, repaired=repaired,
            under_twenty=look.under_twenty, figure_found=look.reason == "figure_named",
        )  # fmt: skip
        if found.action.value == _BLUR and look.reason == "region_not_found":
            return _NOT_FOUND
        return found.action.value, found.reason

    def _on_text(
        self,
        labels: tuple[str, ...],
        factors: tuple[str, ...],
        reached: tuple[str, ...],
        minor: bool,
    ) -> Verdict:
        scores: Mapping[Factor, float] = {
            Factor(factor): math.inf if factor in reached else -1.0 for factor in factors
        }
        found = text_action(
            set(map(Label, labels)), scores.keys(), scores, self._policy, minor=minor
        )
        return found.action.value, found.reason


def _level(score: float | None, sure: float, threshold: float, near: float, floor: float) -> str:
    if score is None or not 0.0 <= score <= 1.0:
        return UNREADABLE
    level = str(sum(score >= cut for cut in (near, threshold, sure)))
    return str(int(level) + AT_FLOOR) if score >= floor else level


def _least(level: str, sure: float, threshold: float, near: float, floor: float) -> float:
    """The least score of that level, which is decided on as all of it are."""
    at_floor, to_threshold = divmod(int(level), AT_FLOOR)
    reached = (-math.inf, near, threshold, sure)[to_threshold]
    return max(reached, floor) if at_floor else reached


STOPPED = frozenset({TextAction.BLOCK.value, TextAction.REVIEW.value})
"""Actions on a prompt after which nothing is painted."""


def _led_to(look: LookCase, following: LookCase) -> str:
    """The action that was done between two looks at a picture."""
    if following.round != look.round:
        return _REPAINT
    return _RELEASE if following.edited else _BLUR
