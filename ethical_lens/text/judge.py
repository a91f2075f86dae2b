"""From the terms found in a text to labels, score and a plain explanation.

| Factors | mild | explicit | extreme |
|---|---|---|---|
| P1 hate, P2 harassment, P3 violence | K1 | K2 | K3 |
| P4 self-harm, P5 sexual, P6 shocking | K2 | K2 | K3 |
| P7 illegal, P8 political, P9 culture | K2 | K3 | K3 |

The method (Cai et al. 2025) gives K1 to P1-P3 that are not explicit, K2 to explicit P4-P6 and mild
P7, K3 to what is not fit for generation. Where it is silent the stricter neighbour was taken, but
not K3 for what a rewrite can take out: K3 is meant to be rare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ethical_lens.results import Factor, Label
from ethical_lens.text import minors
from ethical_lens.text.lexicon import Strength, load_lexicon
from ethical_lens.text.normalise import Reading

Strengths = Mapping[Factor, Strength]

_RANKED: Final = (Label.K0, Label.K1, Label.K2, Label.K3)
_TABLE: Final = {
    "P1 P2 P3": (Label.K1, Label.K2, Label.K3),
    "P4 P5 P6": (Label.K2, Label.K2, Label.K3),
    "P7 P8 P9": (Label.K2, Label.K3, Label.K3),
}
_LABELS: Final[Mapping[tuple[Factor, Strength], Label]] = {
    (Factor(code), strength): label
    for codes, row in _TABLE.items()
    for code in codes.split()
    for strength, label in zip(Strength, row, strict=True)
}
_SCORES: Final = {Strength.MILD: 0.35, Strength.EXPLICIT: 0.7, Strength.EXTREME: 0.95}
FACTOR_NAMES: Final[Mapping[Factor, str]] = {
    Factor.HATE: "hate",
    Factor.HARASSMENT: "harassment",
    Factor.VIOLENCE: "violence",
    Factor.SELF_HARM: "self-harm",
    Factor.SEXUAL: "sexual content",
    Factor.SHOCKING: "shocking content",
    Factor.ILLEGAL: "illegal activity",
    Factor.POLITICAL: "inflammatory politics",
    Factor.CULTURE: "contempt for a culture",
}


@dataclass(frozen=True)
class Evidence:
    """What word lists find in a prompt and its negative prompt, whoever judges it.

    `minor`: somebody under 20 is stated or implied, or adulthood is pushed away beside sexual
    content (`endangers_minor`). `clothing_pushed`: the negative prompt keeps clothing away, which
    counts as explicit sexual content.
    """

    found: Strengths
    minor: bool
    endangers_minor: bool
    clothing_pushed: bool

    @property
    def label(self) -> Label:
        return label(self.found, endangers_minor=self.endangers_minor)


def evidence(prompt: Reading, negative: Reading) -> Evidence:
    """Look at both texts, also where they cannot be read as English. Pure; never raises."""
    found = strengths(prompt)
    clothing_pushed = bool(minors.clothing_pushed_away(negative))
    if clothing_pushed:
        found[Factor.SEXUAL] = max(found.get(Factor.SEXUAL, Strength.EXPLICIT), Strength.EXPLICIT)
    minor = minors.mentions_minor(prompt)
    endangers_minor = Factor.SEXUAL in found and (minor or minors.pushes_adulthood_away(negative))
    return Evidence(found, minor or endangers_minor, endangers_minor, clothing_pushed)


def rank(toxicity: Label) -> int:
    """The place of a K label from K0 (0) to K3 (3): higher is stricter."""
    return _RANKED.index(toxicity)


def strengths(reading: Reading) -> dict[Factor, Strength]:
    """Every factor the text touches, each with the strongest term found. Empty: safe."""
    found: dict[Factor, Strength] = {}
    for hit in load_lexicon().find(reading):
        term = hit.value
        found[term.factor] = max(term.strength, found.get(term.factor, term.strength))
    return found


def label(found: Strengths, *, endangers_minor: bool) -> Label:
    """The one K label: the highest any factor asks for; K3 for sexual content beside a minor."""
    if endangers_minor:
        return Label.K3
    asked = [_LABELS[factor, strength] for factor, strength in found.items()]
    return max(asked, key=rank, default=Label.K0)


def score(found: Strengths, *, endangers_minor: bool) -> float:
    """Toxicity from 0 (safe) to 1; grows with the strongest term, whatever its factor."""
    return max(scores(found, endangers_minor=endangers_minor).values(), default=0.0)


def scores(found: Strengths, *, endangers_minor: bool) -> dict[Factor, float]:
    """The same for each factor by itself."""
    by_factor = {factor: _SCORES[strength] for factor, strength in found.items()}
    return by_factor | {Factor.SEXUAL: 1.0} if endangers_minor else by_factor


def explain(
    found: Strengths,
    verdict: Label,
    *,
    endangers_minor: bool,
    clothing_pushed: bool,
    rewrite_failed: bool,
    names_figure: bool,
) -> str:
    """Why the label is what it is, for people. Names factors; never quotes the prompt.

    What is done about it is not said here: that is the policy's, and `decide_text` says it.
    """
    sentences: list[str] = []
    if found:
        listed = ", ".join(
            f"{FACTOR_NAMES[factor]} ({factor.value}, {strength.name.lower()})"
            for factor, strength in sorted(found.items())
        )
        sentences.append(f"The request touches {listed}.")
    else:
        sentences.append("None of the nine factors was found.")
    if clothing_pushed:
        sentences.append("Its negative prompt asks to leave out what covers bodies.")
    if endangers_minor:
        sentences.append("Somebody under 20 is stated or implied beside it.")
    elif rewrite_failed:
        sentences.append("No safe wording is left of it.")
    elif verdict is Label.K3:
        sentences.append("This is not fit for generation.")
    elif verdict is not Label.K0:
        sentences.append("A wording without that was found.")
    if names_figure:
        sentences.append(
            "A public figure is named, whose face is blurred where a picture shows it."
        )
    return " ".join(sentences)
