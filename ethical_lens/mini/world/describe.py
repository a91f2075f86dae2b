"""Noun phrases for people: "an elderly Asian female nurse", "two young men".

Adjectives stand in the order of the aligner (description, age, race, gender, "child" and "baby"
next to the noun), and sometimes in another one.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, TypeVar

from ethical_lens.mini.world import words
from ethical_lens.mini.world.scene import Kind
from ethical_lens.results import LifeStage
from ethical_lens.text.english import article
from ethical_lens.text.english import plural as regular_plural

_T = TypeVar("_T")
_NEXT_TO_NOUN: Final = frozenset({LifeStage.INFANCY, LifeStage.CHILDHOOD})
_OTHER_ORDERS: Final = (  # of (description, age, race, gender, small)
    (0, 2, 1, 3, 4),
    (0, 3, 1, 2, 4),
    (0, 3, 2, 1, 4),
    (0, 2, 3, 1, 4),
    (1, 0, 2, 3, 4),
    (1, 2, 3, 0, 4),
    (1, 3, 2, 0, 4),
)
_PRONOUNS: Final = frozenset(words.SOMEONE)


class Said(NamedTuple):
    """What a caption says of somebody; None is left unsaid."""

    gender: str | None = None
    race: str | None = None
    stage: LifeStage | None = None


class Sort(NamedTuple):
    """People a noun phrase speaks of alike: so many of one kind, or somebody of name."""

    kind: Kind
    said: Said = Said()
    minor: bool = False
    nude: bool = False
    modest: bool = False  # beside an unclothed stand-in: no word that may mean the young
    name: str | None = None


def pick(rng: random.Random, choices: Sequence[_T]) -> _T:
    """One of `choices`, the first more often than the last."""
    return choices[int(len(choices) * rng.random() * rng.random())]


def among(rng: random.Random, choices: Sequence[_T]) -> _T:
    """One of `choices`, each as often as the others."""
    return choices[int(len(choices) * rng.random())]


def with_article(phrase: str) -> str:
    """`phrase` with "a" or "an"; "someone" stays as it is."""
    return phrase if phrase.split(" ", 1)[0] in _PRONOUNS else f"{_article(phrase)} {phrase}"


@cache
def inflected(noun: str, several: bool) -> str:
    """A noun of `words` in singular or plural."""
    singular, _, plural = noun.partition("/")
    return (plural or regular_plural(singular)) if several else singular


def describe(sort: Sort, number: int, rng: random.Random, *, description: str = "") -> str:
    """A noun phrase without article or number for `number` people of `sort`.

    `description` is one more adjective ("brown-haired"); an unclothed stand-in has its own.
    """
    if sort.name:
        return sort.name
    several = number > 1
    noun, said = _noun(sort, several, rng)
    gender, race, stage = said
    after: list[str] = []
    age = race_word = small = ""
    if sort.nude:
        if rng.random() < 0.25:
            after.append(pick(rng, words.NUDE_PHRASES))
        else:
            description = pick(rng, words.NUDE)
    if race is not None:
        if rng.random() < 0.06:
            after.append(pick(rng, words.RACE_PHRASES[race]))
        else:
            table = words.RACE_WORDS[race]
            race_word = pick(rng, table.of(sort.said.gender) or table.either)
    if stage is not None:
        if rng.random() < 0.1:
            after.append(_stage_phrase(stage, sort.said.gender, several, rng))
        elif stage in _NEXT_TO_NOUN:
            small = pick(rng, words.STAGE_WORDS[stage])
        else:
            undressed = words.UNDRESSED_STAGE.get(stage) if sort.modest else None
            age = pick(rng, undressed or words.STAGE_WORDS[stage])
    before = (description, age, race_word, gender or "", small)
    if rng.random() < 0.12:
        order = among(rng, _OTHER_ORDERS)
        before = tuple(before[i] for i in order)  # type: ignore[assignment]
    return " ".join(filter(None, (*before, noun, *after)))


def counted(phrase: str, number: int, rng: random.Random, *, grouped: bool) -> str:
    """`phrase` with its article or number; `grouped` allows "a group of four"."""
    if number == 1:
        return f"the {phrase}" if rng.random() < 0.06 else with_article(phrase)
    return f"{pick(rng, words.GROUPS[number]) if grouped else words.NUMBERS[number]} {phrase}"


def _stage_phrase(stage: LifeStage, gender: str | None, several: bool, rng: random.Random) -> str:
    their = "their" if several or gender is None else words.THEIR[gender]
    return pick(rng, words.STAGE_PHRASES[stage]).replace("{their}", their)


def _noun(sort: Sort, several: bool, rng: random.Random) -> tuple[str, Said]:
    """The noun, and what it leaves to say."""
    gender, race, stage = sort.said
    if sort.kind is not Kind.PERSON:
        pupil = sort.kind is Kind.STUDENT and sort.minor
        table = words.PUPILS if pupil else words.KINDS[sort.kind]
        gendered = () if sort.minor and not pupil else table.of(gender)
        if gendered and rng.random() < 0.4:
            return inflected(pick(rng, gendered), several), Said(None, race, stage)
        return inflected(pick(rng, table.either), several), sort.said
    stage_nouns = words.STAGE_NOUNS.get(stage) if stage else None
    if stage_nouns and (stage in _NEXT_TO_NOUN or rng.random() < 0.3):
        table = stage_nouns
        gendered = table.of(gender)
        noun = inflected(pick(rng, gendered or table.either), several)
        return noun, Said(None if gendered else gender, race, None)
    if gender is not None:
        table = words.MINORS if sort.minor else words.ADULTS
        return inflected(pick(rng, table.of(gender)), several), Said(None, race, stage)
    if not several and sort.said == Said() and not sort.nude and rng.random() < 0.1:
        return pick(rng, words.SOMEONE), sort.said
    return inflected(pick(rng, words.ADULTS.either), several), sort.said


@cache
def _article_of_word(word: str) -> str:
    return article(word)


def _article(phrase: str) -> str:
    return _article_of_word(phrase.split(" ", 1)[0])
