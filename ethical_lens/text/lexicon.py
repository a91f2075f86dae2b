"""The terms of the nine factors, and where a text touches them."""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from ethical_lens.results import Factor
from ethical_lens.text import data
from ethical_lens.text.figures import public_figures
from ethical_lens.text.normalise import Reading
from ethical_lens.text.phrases import Hit, PhraseBook


class Strength(IntEnum):
    """How strongly a term touches its factor."""

    MILD = 1
    EXPLICIT = 2
    EXTREME = 3


@dataclass(frozen=True)
class Term:
    """A listed word or phrase; `instead` is what a rewrite puts in its place ("" deletes it)."""

    factor: Factor
    strength: Strength
    instead: str


@dataclass(frozen=True)
class Lexicon:
    """All terms of all factors, and the phrases in which such words are harmless.

    `beside_figure`: terms that count only where the text names a public figure: what is everyday
    of anybody can ridicule or expose somebody who exists.
    """

    terms: PhraseBook[Term]
    beside_figure: PhraseBook[Term]
    harmless: PhraseBook[None]

    def find(self, reading: Reading) -> tuple[Hit[Term], ...]:
        """Every term the text touches, in order; overlapping ones too. A term that lies within a
        harmless phrase ("killer whale") does not count; others beside it do."""
        harmless = [(hit.start, hit.end) for hit in self.harmless.find(reading)]
        hits = {*self.terms.find(reading), *self.terms.find_hidden(reading)}
        if public_figures(reading):
            hits.update(self.beside_figure.find(reading))
        return tuple(
            sorted(
                (
                    hit
                    for hit in hits
                    if not any(start <= hit.start and hit.end <= end for start, end in harmless)
                ),
                key=lambda hit: (hit.start, hit.end, hit.value.factor),
            )
        )


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon of the package, read on first use and shared: it cannot be changed."""
    terms: list[tuple[str, Term]] = []
    beside_figure: list[tuple[str, Term]] = []
    harmless: list[tuple[str, None]] = []
    for name in data.FACTOR_FILES:
        lists = data.load(name)
        factor = Factor(lists["factor"])
        terms += [(phrase, Term(factor, Strength.EXTREME, "")) for phrase in lists["extreme"]]
        for strength in (Strength.EXPLICIT, Strength.MILD):
            terms += [
                (phrase, Term(factor, strength, instead))
                for phrase, instead in lists[strength.name.lower()].items()
            ]
        beside_figure += [
            (phrase, Term(factor, Strength.MILD, instead))
            for phrase, instead in lists["beside_figure"].items()
        ]
        harmless += [(phrase, None) for phrase in lists["harmless"]]
    return Lexicon(
        terms=PhraseBook(terms),
        beside_figure=PhraseBook(beside_figure),
        harmless=PhraseBook(harmless),
    )
