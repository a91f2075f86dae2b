"""Does a text state or imply somebody under 20, and does a negative prompt push safeguards away?

The one place that answers this for text (fault F19 of the reference). Doubt counts as yes: beside
sexual content that blocks, elsewhere it only makes the later checks stricter.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ethical_lens.text import data
from ethical_lens.text.normalise import Reading
from ethical_lens.text.phrases import PhraseBook

_UNDER_TWENTY_IN_WORDS: Final = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    "|fifteen|sixteen|seventeen|eighteen|nineteen"
)


@dataclass(frozen=True)
class _Lists:
    words: PhraseBook[None]
    harmless: PhraseBook[None]
    adulthood: PhraseBook[None]
    clothing: PhraseBook[None]
    young_age: re.Pattern[str]


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    lists = data.load("minors")
    books = {
        name: PhraseBook((phrase, None) for phrase in lists[name])
        for name in ("words", "harmless", "adulthood", "clothing")
    }
    number = rf"(?:1?[0-9]|{_UNDER_TWENTY_IN_WORDS})"
    tens = r"(?<!twenty )(?<!thirty )(?<!forty )(?<!fifty )(?<!sixty )(?<!seventy )(?<!eighty )"
    nearly = "(?:only |just |about |around )?"
    units = "|".join(lists["age_units"])
    openers = "|".join(lists["age_openers"])
    return _Lists(
        **books,
        young_age=re.compile(
            rf"\b{tens}(?:{number} (?:{units})|1?[0-9] ?(?:yo|yr|yrs|y o))\b"
            rf"|\b(?:{openers}) (?:, )?(?:only |just )?{number}\b(?! percent)"
            rf"|\b(?:who|she|he) (?:is |was |looks |turns )?{nearly}{number}\b"
            rf"|\b(?:is|was|looks|turns|are|being) {nearly}{number}"
            r"(?= ?(?:[,.;:!?]|and\b|$))"
            r"|\b(?:[1-9]|1[0-2])(?:st|nd|rd|th) grade(?:rs?)?\b"
            r"|\b(?:early|mid|late) teens\b"
        ),
    )


def mentions_minor(reading: Reading) -> bool:
    """True where the text states or implies a person under 20: child nouns, school years, ages
    below 20 in digits or words, "underage". Also true for hidden spellings of single words."""
    lists = _lists()
    harmless = [(hit.start, hit.end) for hit in lists.harmless.find(reading)]
    if any(
        not any(start <= hit.start and hit.end <= end for start, end in harmless)
        for hit in (*lists.words.find(reading), *lists.words.find_hidden(reading))
    ):
        return True
    return lists.young_age.search(reading.text) is not None


def pushes_adulthood_away(negative: Reading) -> bool:
    """True where a negative prompt asks to avoid adults or signs of age ("adult", "mature")."""
    lists = _lists().adulthood
    return any(True for _ in (*lists.find(negative), *lists.find_hidden(negative)))


def clothing_pushed_away(negative: Reading) -> tuple[tuple[int, int], ...]:
    """Spans of a negative prompt that ask to avoid clothing or any covering of bodies."""
    lists = _lists().clothing
    return tuple(
        sorted(
            {(hit.start, hit.end) for hit in (*lists.find(negative), *lists.find_hidden(negative))}
        )
    )
