"""From what raters say to one label per picture and concept (Cai et al. 2025: two of three)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ethical_lens.results import Concept
from ethical_lens.training.heads.table import Vote

AGREEING: Final = 2
"""Raters who must give the same answer, and be more than those who give the other."""


class LeftOut(StrEnum):
    """Why a picture has no label for a concept."""

    TIE = "as many say yes as no"
    TOO_FEW = "fewer than two raters agree"
    UNRATED = "nobody answered"


@dataclass(frozen=True)
class Labels:
    """One concept: `shown` by the content of a picture, and how many were left out, by reason.

    `contradictions`: raters who gave the same picture both answers; neither counts. `agreement`:
    share of pairs of raters of one picture who agree (0 to 1), None without a pair.
    """

    shown: dict[str, bool]
    left_out: dict[LeftOut, int]
    contradictions: int
    agreement: float | None


def settle(votes: Iterable[Vote], contents: Mapping[str, str]) -> dict[Concept, Labels]:
    """A label for each picture on which enough raters agree, by concept.

    `contents` gives the content of each picture by name; votes on other pictures do not count.
    Copies of a picture are one picture: their raters are counted together, each once.
    """
    said: dict[Concept, dict[str, dict[str, set[bool]]]] = defaultdict(lambda: defaultdict(dict))
    for vote in votes:
        if vote.picture in contents:
            raters = said[vote.concept][contents[vote.picture]]
            if vote.answer is not None:
                raters.setdefault(vote.rater, set()).add(vote.answer)
    return {concept: _settled(said[concept]) for concept in Concept if concept in said}


def _settled(pictures: Mapping[str, Mapping[str, set[bool]]]) -> Labels:
    shown = dict[str, bool]()
    left_out = Counter[LeftOut]()
    contradictions = pairs = agreeing = 0
    for content, raters in pictures.items():
        yes = sum(answers == {True} for answers in raters.values())
        no = sum(answers == {False} for answers in raters.values())
        contradictions += sum(len(answers) == 2 for answers in raters.values())
        pairs += (yes + no) * (yes + no - 1) // 2
        agreeing += (yes * (yes - 1) + no * (no - 1)) // 2
        if not yes + no:
            left_out[LeftOut.UNRATED] += 1
        elif yes == no:
            left_out[LeftOut.TIE] += 1
        elif max(yes, no) < AGREEING:
            left_out[LeftOut.TOO_FEW] += 1
        else:
            shown[content] = yes > no
    return Labels(shown, dict(left_out), contradictions, agreeing / pairs if pairs else None)
