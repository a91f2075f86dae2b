"""Public figures (A1) and characters in a text, by a list of names."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ethical_lens.text import data
from ethical_lens.text.normalise import Gap, Reading
from ethical_lens.text.phrases import PhraseBook


@dataclass(frozen=True)
class NamedPerson:
    """Somebody named: the usual name, where it stands in the original, whether that is a public
    figure (whose face is hidden) or a character, and whether the text has them depicted, not
    only painting ("in the style of …", "painted by …")."""

    name: str
    public: bool
    start: int
    end: int
    depicted: bool


@dataclass(frozen=True)
class _Names:
    names: PhraseBook[tuple[str, bool]]
    harmless: PhraseBook[None]
    before_makers: PhraseBook[None]


@lru_cache(maxsize=1)
def _names() -> _Names:
    lists = data.load("figures")
    rows = [(alias, (row[0], True)) for row in lists["figures"] for alias in row]
    rows += [(name, (name, False)) for name in lists["characters"]]
    return _Names(
        names=PhraseBook(rows),
        harmless=PhraseBook((phrase, None) for phrase in lists["harmless"]),
        before_makers=PhraseBook((phrase, None) for phrase in lists["before_makers"]),
    )


def named_people(reading: Reading) -> tuple[NamedPerson, ...]:
    """Everybody named, in order. Of overlapping names the longest counts; names inside harmless
    phrases ("trump card") do not."""
    lists = _names()
    made_by = {hit.end for hit in lists.before_makers.find(reading)}
    makers = {
        token.start
        for previous, token in pairwise(reading.tokens)
        if previous.end in made_by and token.gap is not Gap.BREAK
    }
    owners = {token.end for token in reading.tokens if token.possessive}  # "by Obama's house"
    taken = [(hit.start, hit.end) for hit in lists.harmless.find(reading)]
    found: list[NamedPerson] = []
    for hit in sorted(lists.names.find(reading), key=lambda h: (h.start - h.end, h.start)):
        if all(hit.end <= start or end <= hit.start for start, end in taken):
            taken.append((hit.start, hit.end))
            name, public = hit.value
            depicted = hit.start not in makers or hit.end in owners
            found.append(NamedPerson(name, public, hit.start, hit.end, depicted))
    return tuple(sorted(found, key=lambda person: person.start))


def public_figures(reading: Reading) -> tuple[str, ...]:
    """The usual names of the public figures in the text, each once, in order."""
    return tuple(dict.fromkeys(p.name for p in named_people(reading) if p.public))


def depicted_figures(reading: Reading) -> tuple[str, ...]:
    """Those of `public_figures` who are to be seen (A1), as who only lends a style is not."""
    named = named_people(reading)
    return tuple(dict.fromkeys(p.name for p in named if p.public and p.depicted))
