"""Public figures (A1) and characters in a text, by a list of names."""

from dataclasses import dataclass
from functools import lru_cache

from ethical_lens.text import data
from ethical_lens.text.normalise import Reading
from ethical_lens.text.phrases import PhraseBook


@dataclass(frozen=True)
class NamedPerson:
    """Somebody named: the usual name, where it stands in the original, and whether that is a
    public figure (whose face is hidden) or a character."""

    name: str
    public: bool
    start: int
    end: int


@dataclass(frozen=True)
class _Names:
    names: PhraseBook[tuple[str, bool]]
    harmless: PhraseBook[None]


@lru_cache(maxsize=1)
def _names() -> _Names:
    lists = data.load("figures")
    rows = [(alias, (row[0], True)) for row in lists["figures"] for alias in row]
    rows += [(name, (name, False)) for name in lists["characters"]]
    return _Names(
        names=PhraseBook(rows),
        harmless=PhraseBook((phrase, None) for phrase in lists["harmless"]),
    )


def named_people(reading: Reading) -> tuple[NamedPerson, ...]:
    """Everybody named, in order. Of overlapping names the longest counts; names inside harmless
    phrases ("trump card") do not."""
    lists = _names()
    taken = [(hit.start, hit.end) for hit in lists.harmless.find(reading)]
    found: list[NamedPerson] = []
    for hit in sorted(lists.names.find(reading), key=lambda h: (h.start - h.end, h.start)):
        if all(hit.end <= start or end <= hit.start for start, end in taken):
            taken.append((hit.start, hit.end))
            name, public = hit.value
            found.append(NamedPerson(name, public, hit.start, hit.end))
    return tuple(sorted(found, key=lambda person: person.start))


def public_figures(reading: Reading) -> tuple[str, ...]:
    """The usual names of the public figures in the text, each once, in order."""
    return tuple(dict.fromkeys(p.name for p in named_people(reading) if p.public))
