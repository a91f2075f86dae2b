"""The kinds of people: nouns, their number, what they say of gender and age, their life stages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ethical_lens.results import Attribute, LifeStage
from ethical_lens.text import data
from ethical_lens.text.english import plural
from ethical_lens.text.phrases import PhraseBook

ADULT_STAGES: Final = (LifeStage.YOUNG_ADULTHOOD, LifeStage.MIDDLE_AGE, LifeStage.OLD_AGE)

_STAGES: Final[Mapping[str, tuple[LifeStage, ...]]] = {
    "all": (LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE, *ADULT_STAGES),
    "working": ADULT_STAGES,
    "learner": (LifeStage.ADOLESCENCE, *ADULT_STAGES),
    "pupil": (LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE),
    "stated": (),
}


@dataclass(frozen=True)
class Kind:
    """A kind of person. `name` is the singular; `states` is what the noun itself says."""

    name: str
    states: frozenset[Attribute]
    stages: tuple[LifeStage, ...]


@dataclass(frozen=True)
class Noun:
    """A noun that stands for people: its kind, and whether it means several."""

    kind: Kind
    several: bool


@dataclass(frozen=True)
class PeopleWords:
    """All lists about people, in the shape they are looked up."""

    nouns: PhraseBook[Noun]
    not_people: PhraseBook[None]
    not_people_before: PhraseBook[None]
    not_people_after: frozenset[str]
    group_words: frozenset[str]
    gender_words: frozenset[str]
    pronouns: frozenset[str]
    race_words: frozenset[str]
    race_after: frozenset[str]
    age_words: frozenset[str]
    coloured: frozenset[str]
    determiners: frozenset[str]
    several_before: frozenset[str]
    adjectives: frozenset[str]
    adult_context: frozenset[str]
    historical_people: PhraseBook[None]
    historical_times: PhraseBook[None]

    @property
    def attribute_words(self) -> frozenset[str]:
        """Every word that states gender, race or age."""
        return self.gender_words | self.race_words | self.age_words


PERSON: Final = Kind("person", frozenset(), _STAGES["all"])


@lru_cache(maxsize=1)
def people_words() -> PeopleWords:
    """The lists of the package, read on first use and shared: they cannot be changed."""
    lists = data.load("people")
    nouns: dict[str, Noun] = {}
    for group in lists["kinds"]:
        states = frozenset(Attribute(name) for name in group["states"])
        listed = group.get("nouns", "").split()
        listed += [phrase.strip() for phrase in group.get("phrases", "").split(";")]
        for entry in filter(None, listed):
            singular, _, several = entry.partition("/")
            kind = Kind(singular, states, _STAGES[group["stages"]])
            nouns.setdefault(singular, Noun(kind, several=False))
            nouns.setdefault(several or plural(singular), Noun(kind, several=True))
    for word in lists["groups"]["plain"]:
        nouns[word] = Noun(PERSON, several=True)
    family = Kind("family", frozenset(Attribute), ())
    for word in lists["groups"]["family"]:
        nouns[word] = Noun(family, several=True)
    words = lists["words"]
    apart = lists["not_people"]
    return PeopleWords(
        nouns=PhraseBook(nouns.items()),
        not_people=PhraseBook((phrase, None) for phrase in apart["phrases"]),
        not_people_before=PhraseBook((phrase, None) for phrase in apart["before"]),
        not_people_after=frozenset(apart["after"]),
        group_words=frozenset(lists["groups"]["of"]),
        gender_words=frozenset((*words["male"], *words["female"], *words["other_gender"])),
        pronouns=frozenset((*words["male_pronouns"], *words["female_pronouns"])),
        race_words=frozenset(words["race"]),
        race_after=frozenset(words["race_after"]),
        age_words=frozenset(words["age"]),
        coloured=frozenset(words["coloured"]),
        determiners=frozenset(words["determiners"]),
        several_before=frozenset(words["several"]),
        adjectives=frozenset(words["adjectives"]),
        adult_context=frozenset(words["adult_context"]),
        historical_people=PhraseBook((phrase, None) for phrase in words["historical_people"]),
        historical_times=PhraseBook((phrase, None) for phrase in words["historical_times"]),
    )
