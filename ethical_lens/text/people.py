"""Splits a prompt into clusters of people, each with the attributes that it leaves open.

What the method asks an LLM for (Cai et al. 2025, text scrutiny for bias), by lists and the order
of English noun phrases: determiner, modifiers, noun.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ethical_lens.results import Attribute, ClusterType, LifeStage, PeopleCluster
from ethical_lens.text.english import NUMBERS
from ethical_lens.text.figures import named_people
from ethical_lens.text.kinds import ADULT_STAGES, Kind, Noun, PeopleWords, people_words
from ethical_lens.text.normalise import Gap, Reading, Token, read
from ethical_lens.text.phrases import Hit
from ethical_lens.text.vocabulary import is_function_word

_REFERS_BACK: Final = frozenset({"the", "this", "that", "his", "her", "their", "same"})
_FOR_ONE: Final = frozenset({"a", "an", "one", "this", "another", "each", "every"})
_COLOURS: Final = frozenset({"white", "black"})
_MOST_MODIFIERS: Final = 6
_LOOK_AHEAD: Final = 12
_NUMBER_OF_YEARS: Final = re.compile(
    r"^(?:, )?(?:who is |is |aged |age |of )*(?:\w+ )?(?:years? old|years of age|yo\b)"
    r"|^(?:, )?(?:aged|age) \w+"
)
_DECADE: Final = re.compile(
    r"\bin (?:his|her|their) (?:early |mid |late )?(?:\d0s|teens|twenties|thirties|forties|fifties"
    r"|sixties|seventies|eighties|nineties)\b|\b(?:of )?(?:all|different|various|mixed) ages\b"
)
_CENTURY: Final = re.compile(
    r"\b(?:1?\d(?:st|nd|rd|th)|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth"
    r"|eighteenth|nineteenth) century\b"
)
_YEAR: Final = re.compile(
    r"\b(?:in|of|from|around|circa|since|year|the) (?:1[0-8]\d\d|19[0-4]\d)s?\b"
    r"|\b(?:1[0-8]\d0|19[0-4]0)s\b|\b\d{2,4} (?:bc|bce)\b"
)
"""Up to the middle of the last century."""
_NUMBERS: Final[Mapping[str, int]] = {
    **{word: number for number, word in enumerate(NUMBERS) if number >= 2},
    **{str(number): number for number in range(2, len(NUMBERS))},
    "couple": 2, "pair": 2, "duo": 2, "trio": 3, "quartet": 4,
}  # fmt: skip
_LONGER_NUMBERS: Final = frozenset(
    {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred"}
    | {"thousand", "dozen"}
)
_YEARS_BEFORE: Final = frozenset({"year", "old", "yo", "years"})


@dataclass(frozen=True)
class _Phrase:
    """A noun phrase for people, in token numbers: `first` (determiner or modifier) to `last`
    (exclusive); the noun itself is `noun_first` to `last`."""

    first: int
    noun_first: int
    last: int
    kind: Kind
    several: bool


def find_clusters(prompt: str) -> tuple[PeopleCluster, ...]:
    """The clusters of people in `prompt`, in order; spans are offsets into it.

    A span covers the determiner, the modifiers and the noun ("an old doctor"), for a group also
    "a group of". A noun that only takes up an earlier person ("the doctor" after "a doctor")
    opens no new cluster. People of history are of type 0, as those who are named: who they were is
    not open. Pure; never raises.
    """
    reading = read(prompt)
    words = people_words()
    named = named_people(reading)
    clusters = [
        PeopleCluster(kind=p.name, type=ClusterType.NAMED, start=p.start, end=p.end)
        for p in named
        if p.depicted
    ]
    phrases = [
        phrase
        for phrase in _phrases(reading, words)
        if not any(
            p.start < reading.tokens[phrase.last - 1].end
            and reading.tokens[phrase.first].start < p.end
            for p in named
        )
    ]
    alone = len(phrases) == 1 and not clusters and not phrases[0].several
    adults_only = any(token.text in words.adult_context for token in reading.tokens)
    of_history = _history(reading, words)
    seen: set[str] = set()
    for phrase, following in zip(phrases, [*phrases[1:], None], strict=False):
        tokens = reading.tokens[phrase.first : phrase.last]
        taken_up = not phrase.several and phrase.kind.name in seen
        if taken_up and (tokens[0].text in _REFERS_BACK or tokens[0].text not in words.determiners):
            continue
        seen.add(phrase.kind.name)
        limit = following.first if following else len(reading.tokens)
        after = reading.tokens[phrase.last : min(limit, phrase.last + _LOOK_AHEAD)]
        stated = phrase.kind.states | _stated(tokens, phrase, after, words)
        nearby = reading.tokens if alone else () if phrase.several else after
        if any(token.text in words.pronouns for token in nearby):
            stated |= {Attribute.GENDER}
        several = ClusterType.SEVERAL if phrase.several else ClusterType.ONE
        historical = any(
            start < tokens[-1].end and tokens[0].start < end for start, end in of_history
        )
        open_attributes = frozenset() if historical else frozenset(Attribute) - stated
        clusters.append(
            PeopleCluster(
                kind=phrase.kind.name,
                type=ClusterType.NAMED if historical else several,
                start=tokens[0].start,
                end=tokens[-1].end,
                open_attributes=open_attributes,
                life_stages=_stages(phrase.kind, open_attributes, adults_only=adults_only),
            )
        )
    return tuple(sorted(clusters, key=lambda cluster: cluster.start))


def _history(reading: Reading, words: PeopleWords) -> list[tuple[int, int]]:
    """The spans of whoever is a person of history: all of the text where it names such a time."""
    text = " ".join(token.text for token in reading.tokens)
    if any(words.historical_times.find(reading)) or _CENTURY.search(text) or _YEAR.search(text):
        return [(reading.tokens[0].start, reading.tokens[-1].end)]
    return [(hit.start, hit.end) for hit in words.historical_people.find(reading)]


def number_in(phrase: str) -> int | None:
    """How many people the phrase of a group says they are, 2 to 12: "five doctors", "a pair of
    dancers". None where it does not say, or says it in a longer number."""
    tokens = [token.text for token in read(phrase).tokens]
    if not _LONGER_NUMBERS.isdisjoint(tokens):
        return None
    return next(
        (
            _NUMBERS[word]
            for word, following in pairwise([*tokens, ""])
            if word in _NUMBERS and following not in _YEARS_BEFORE
        ),
        None,
    )


def _stages(
    kind: Kind, open_attributes: frozenset[Attribute], *, adults_only: bool
) -> tuple[LifeStage, ...]:
    if Attribute.AGE not in open_attributes:
        return ()
    if adults_only:
        return tuple(stage for stage in kind.stages if stage in ADULT_STAGES)
    return kind.stages


def _phrases(reading: Reading, words: PeopleWords) -> list[_Phrase]:
    """Noun phrases for people, left to right, not overlapping."""
    tokens = reading.tokens
    at = {token.start: i for i, token in enumerate(tokens)}
    ends = {token.end: i + 1 for i, token in enumerate(tokens)}
    apart = [(hit.start, hit.end) for hit in words.not_people.find(reading)]
    before = {hit.end for hit in words.not_people_before.find(reading)}
    reached = 0
    found: list[_Phrase] = []
    nouns = sorted(words.nouns.find(reading), key=lambda hit: (hit.start, -hit.end))
    for i, hit in enumerate(nouns):
        first, last = at[hit.start], ends[hit.end]
        if first < reached or any(s < hit.end and hit.start < e for s, e in apart):
            continue
        start = _start_of_phrase(tokens, first, reached, words)
        several = hit.value.several or tokens[start].text in words.several_before
        following = _adjacent(nouns[i + 1 :], tokens, last)
        if following and following.several and not several and tokens[start].text in _FOR_ONE:
            reached = last + 1  # "a man cooks": a verb that looks like a noun
        elif following or _modifies_next(tokens, last, words):
            continue
        else:
            reached = last
        if start and tokens[start - 1].end in before:
            continue
        if found and start - 1 == found[-1].last and tokens[start - 1].text == "of":
            group = tokens[found[-1].last - 1].text
            if group in words.group_words:  # "a crowd of people" is one cluster
                start, several = found.pop().first, True
        found.append(_Phrase(start, first, last, hit.value.kind, several))
    return [phrase for phrase in found if not _is_of_things(phrase, tokens, words)]


def _is_of_things(phrase: _Phrase, tokens: tuple[Token, ...], words: PeopleWords) -> bool:
    """True for "a couple of bikes" and for an animal's kin ("a foal and its mother")."""
    followed_by_of = phrase.last < len(tokens) and tokens[phrase.last].text == "of"
    return (followed_by_of and tokens[phrase.last - 1].text in words.group_words) or tokens[
        phrase.first
    ].text == "its"


def _adjacent(hits: list[Hit[Noun]], tokens: tuple[Token, ...], last: int) -> Noun | None:
    """The noun for people that follows at once, as in "female doctor"."""
    if last >= len(tokens) or tokens[last].gap is Gap.BREAK:
        return None
    return next((hit.value for hit in hits if hit.start == tokens[last].start), None)


def _modifies_next(tokens: tuple[Token, ...], last: int, words: PeopleWords) -> bool:
    """True where the noun ending at `last` only describes a thing: "doctor costume", "a doctor's
    hat"."""
    if tokens[last - 1].possessive:
        return True
    if last >= len(tokens) or tokens[last].gap is Gap.BREAK:
        return False
    return tokens[last].text in words.not_people_after


def _start_of_phrase(tokens: tuple[Token, ...], noun: int, reached: int, words: PeopleWords) -> int:
    """The first token of the phrase whose noun starts at `noun`: modifiers to the left, across
    "old, bearded" and "young and happy", up to and with a determiner and "a group of"."""
    first = noun
    while first > reached and noun - first < _MOST_MODIFIERS:
        token = tokens[first - 1]
        if tokens[first].gap is Gap.BREAK and not (
            is_modifier(token.text, words) and _determined(tokens, first - 1, reached, words)
        ):
            break
        if token.text in words.determiners:
            first -= 1
            if first > reached and tokens[first - 1].text in words.several_before:
                first -= 1
            break
        if token.text == "and" and first - 2 >= reached:
            if is_modifier(tokens[first - 2].text, words) and _determined(
                tokens, first - 2, reached, words
            ):
                first -= 1
                continue
            break
        if is_function_word(token.text) or token.possessive:
            break
        first -= 1
    return _with_group(tokens, first, reached, words)


def _determined(tokens: tuple[Token, ...], at: int, reached: int, words: PeopleWords) -> bool:
    """True where modifiers run from `at` leftwards to a determiner."""
    while at >= reached and is_modifier(tokens[at].text, words):
        at -= 1
    return at >= reached and tokens[at].text in words.determiners


def _with_group(tokens: tuple[Token, ...], first: int, reached: int, words: PeopleWords) -> int:
    """`first`, moved left over "a large group of"."""
    at = first - 1
    if at - 1 < reached or tokens[at].text != "of" or tokens[at - 1].text not in words.group_words:
        return first
    at -= 1
    while at - 1 >= reached and is_modifier(tokens[at - 1].text, words):
        at -= 1
    if at - 1 >= reached and tokens[at - 1].text in words.determiners:
        at -= 1
    return at


def is_modifier(word: str, words: PeopleWords) -> bool:
    """True for a word that describes (lower case): an attribute word, or by its form or list."""
    return (
        word in words.attribute_words
        or word in words.adjectives
        or (len(word) > 5 and word.endswith(("ing", "ed", "ful", "ous", "ish", "less", "some")))
    )


def _stated(
    tokens: tuple[Token, ...], phrase: _Phrase, after: tuple[Token, ...], words: PeopleWords
) -> frozenset[Attribute]:
    """What modifiers, and the words that follow, say of gender, race and age."""
    stated: set[Attribute] = set()
    modifiers = [token.text for token in tokens[: phrase.noun_first - phrase.first]]
    for word, following in pairwise([*modifiers, ""]):
        if word in words.gender_words:
            stated.add(Attribute.GENDER)
        if word in words.race_words and not (word in _COLOURS and following in words.coloured):
            stated.add(Attribute.RACE)
        if word in words.age_words or word in _YEARS_BEFORE:
            stated.add(Attribute.AGE)
        if word.endswith("skinned") or following == "skinned":
            stated.add(Attribute.RACE)
        if re.fullmatch(r"\d+(?:yo|yr|yrs)", word):
            stated.add(Attribute.AGE)
    text = " ".join((", " if t.gap is Gap.BREAK else "") + t.text for t in after)
    if _NUMBER_OF_YEARS.search(text) or _DECADE.search(text):
        stated.add(Attribute.AGE)
    for i, token in enumerate(after):
        previous = after[i - 1].text if i else ""
        following = after[i + 1].text if i + 1 < len(after) else ""
        linked = previous in {"is", "are", "from", "looks"}
        if token.text in words.race_words and (following in words.race_after or linked):
            stated.add(Attribute.RACE)
        if token.text in words.age_words and linked:
            stated.add(Attribute.AGE)
        if token.text in words.gender_words and linked:
            stated.add(Attribute.GENDER)
    return frozenset(stated)
