"""Merges draws with a prompt, in fluent English and without an LLM.

One person gets her own draw ("an elderly Asian female doctor"); a group gets counts where its
number is known, else shares ("five doctors, two men and three women, of a mix of ethnicities and
ages"; "doctors, half men and half women, ..."); named people stay as they
are (Cai et al. 2025, text scrutiny for bias).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    ClusterType,
    Factor,
    LifeStage,
    PeopleCluster,
    PicturePrompt,
    TextVerdict,
)
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.english import NUMBERS, article
from ethical_lens.text.kinds import PeopleWords, people_words
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read
from ethical_lens.text.people import is_modifier, number_in

_STAGE_WORDS: Final = {
    LifeStage.INFANCY: "baby",
    LifeStage.CHILDHOOD: "child",
    LifeStage.ADOLESCENCE: "teenage",
    LifeStage.YOUNG_ADULTHOOD: "young",
    LifeStage.MIDDLE_AGE: "middle-aged",
    LifeStage.OLD_AGE: "elderly",
}
_RACE_WORDS: Final = {"Latino-Hispanic": "Hispanic"}
_PLAIN_NOUNS: Final = frozenset({"person", "human", "individual", "adult"})
_PARTS_OF_AN_AGE: Final = frozenset({"year", "years", "yo", "month", "months", "old"})
_CHILDREN: Final = frozenset({LifeStage.INFANCY, LifeStage.CHILDHOOD})
_PERSON_NOUNS: Final[Mapping[str | None, Mapping[LifeStage | None, str]]] = {
    "male": {
        LifeStage.INFANCY: "baby boy",
        LifeStage.CHILDHOOD: "boy",
        LifeStage.ADOLESCENCE: "boy",
        LifeStage.YOUNG_ADULTHOOD: "man",
        LifeStage.MIDDLE_AGE: "man",
        LifeStage.OLD_AGE: "man",
        None: "man",
    },
    "female": {
        LifeStage.INFANCY: "baby girl",
        LifeStage.CHILDHOOD: "girl",
        LifeStage.ADOLESCENCE: "girl",
        LifeStage.YOUNG_ADULTHOOD: "woman",
        LifeStage.MIDDLE_AGE: "woman",
        LifeStage.OLD_AGE: "woman",
        None: "woman",
    },
    None: {LifeStage.INFANCY: "baby", LifeStage.CHILDHOOD: "child"},
}
"""What a plain "person" is called once gender and life stage are drawn."""


_GROUP_NOUNS: Final[Mapping[str, Mapping[bool, tuple[str, str]]]] = {
    "male": {False: ("man", "men"), True: ("boy", "boys")},
    "female": {False: ("woman", "women"), True: ("girl", "girls")},
}
"""One and several of a gender, grown up (False) or young (True)."""


class _Rank(IntEnum):
    """English order of what stands before a noun."""

    DESCRIPTION = 0
    AGE = 1
    RACE = 2
    GENDER = 3
    STAGE = 4  # "child", "baby": as nouns, next to the noun
    NOUN = 5


def merge_picture(
    verdict: TextVerdict, draws: Sequence[AttributeDraw], policy: Policy
) -> PicturePrompt:
    """The prompt of one picture: the verdict's prompt with `draws` merged in.

    Raises `AlignmentError` for a draw that does not fit: no such cluster, more or fewer draws than
    people, or a value for an attribute that the prompt states or the cluster cannot take; and for
    clusters that overlap or cover no word.
    """
    by_cluster: dict[int, list[AttributeDraw]] = {}
    for one in draws:
        if one.cluster >= len(verdict.clusters):
            raise AlignmentError("a draw names no cluster of this prompt")
        by_cluster.setdefault(one.cluster, []).append(one)
    for index, given in by_cluster.items():
        _check(given, verdict.clusters[index], verdict.prompt)
    in_order = sorted(verdict.clusters, key=lambda cluster: cluster.start)
    if any(first.end > second.start for first, second in pairwise(in_order)):
        raise AlignmentError("clusters overlap")
    prompt = verdict.prompt
    for index, cluster in sorted(enumerate(verdict.clusters), key=lambda item: -item[1].start):
        given = by_cluster.get(index, [])
        if cluster.type is ClusterType.ONE and given:
            prompt = _merge_one(prompt, cluster, given[0])
        elif cluster.type is ClusterType.SEVERAL:
            prompt = _merge_several(prompt, cluster, given, verdict, policy)
    return PicturePrompt(prompt=prompt, draws=tuple(draws))


def _check(given: Sequence[AttributeDraw], cluster: PeopleCluster, prompt: str) -> None:
    several = cluster.type is ClusterType.SEVERAL
    if len(given) != (number_in(prompt[cluster.start : cluster.end]) if several else 1):
        raise AlignmentError("a cluster has one draw, a group one for each of its people")
    may = cluster.open_attributes & {Attribute.GENDER} if several else cluster.open_attributes
    drawn = {a for a in Attribute if any(getattr(one, a.value) is not None for one in given)}
    if drawn - may:
        raise AlignmentError("a draw gives an attribute that its cluster does not leave open")


def _merge_one(prompt: str, cluster: PeopleCluster, one: AttributeDraw) -> str:
    if one.gender is None and one.race is None and one.age is None:
        return prompt
    words = people_words()
    phrase = prompt[cluster.start : cluster.end]
    tokens = read(phrase).tokens
    if not tokens:
        raise AlignmentError("a cluster covers no word")
    determiners = 0
    while determiners < len(tokens) - 1 and tokens[determiners].text in words.determiners:
        determiners += 1
    noun = _noun_start(phrase, words)
    if noun <= (tokens[determiners].start if determiners < len(tokens) else 0):
        noun = tokens[min(determiners, len(tokens) - 1)].start
    opening = phrase[: tokens[determiners].start]
    described = phrase[tokens[determiners].start : noun]
    head = phrase[noun:]
    starts_large = not opening and described[:1].isupper() | (not described and head[:1].isupper())

    head, added = _words_for(one, head)
    body = _insert(described, added, words) + head
    if not opening and starts_large:
        body = body[:1].upper() + _lower_old_capital(body[1:], phrase)
    before, after = prompt[: cluster.start], prompt[cluster.end :]
    opening = re.sub(r"\b([Aa])n?(\s+)$", lambda m: _agree(m, body), opening)
    if not opening:
        before = re.sub(r"\b([Aa])n?(\s+)$", lambda m: _agree(m, body), before)
    return before + opening + body + after


def _agree(match: "re.Match[str]", body: str) -> str:
    return match[1] + article(body)[1:] + match[2]


def _lower_old_capital(rest: str, phrase: str) -> str:
    """A sentence that began with the noun begins with something else now."""
    first = phrase.split()[0]
    if first[1:].islower() and first.istitle():
        return re.sub(rf"\b{re.escape(first)}\b", first.lower(), rest, count=1)
    return rest


def _noun_start(phrase: str, words: PeopleWords) -> int:
    """Where the noun of a noun phrase starts: the longest known one at its end, or the last
    word."""
    reading = read(phrase)
    end = reading.tokens[-1].end
    starts = [hit.start for hit in words.nouns.find(reading) if hit.end == end]
    return min(starts, default=reading.tokens[-1].start)


def _words_for(one: AttributeDraw, noun: str) -> tuple[str, list[tuple[_Rank, str]]]:
    """The noun to use, and the words to put before it with their places."""
    added: list[tuple[_Rank, str]] = []
    if one.race is not None:
        added.append((_Rank.RACE, _RACE_WORDS.get(one.race, one.race)))
    stage = one.age
    person = None
    if noun.lower() in _PLAIN_NOUNS:
        person = _PERSON_NOUNS.get(one.gender, {}).get(stage)
    if one.gender is not None and person is None:
        added.append((_Rank.GENDER, one.gender))
    if stage is not None and stage not in _CHILDREN:
        added.append((_Rank.AGE, _STAGE_WORDS[stage]))
    elif stage is not None and person is None:
        added.append((_Rank.STAGE, _STAGE_WORDS[stage]))
    return person or noun, added


def _insert(described: str, added: list[tuple[_Rank, str]], words: PeopleWords) -> str:
    """`described` (words before the noun, each with what follows it) with `added` in order."""
    tokens = read(described).tokens
    pieces: list[tuple[_Rank, str]] = []
    for i, token in enumerate(tokens):
        end = tokens[i + 1].start if i + 1 < len(tokens) else len(described)
        pieces.append((_rank(token.text, words), described[token.start : end]))
    for rank, word in sorted(added):
        at = next(
            (
                i
                for i, (own, _) in enumerate(pieces)
                if own > rank and not (i and pieces[i - 1][1].endswith("-"))
            ),
            len(pieces),
        )
        pieces.insert(at, (rank, word + " "))
    return "".join(piece for _, piece in pieces)


def _rank(word: str, words: PeopleWords) -> _Rank:
    if word in {"child", "baby", "infant", "toddler"}:
        return _Rank.STAGE
    if word in words.age_words or word[0].isdigit() or word in _PARTS_OF_AN_AGE:
        return _Rank.AGE
    if word in words.race_words:
        return _Rank.RACE
    if word in words.gender_words and not word.endswith("ed"):
        return _Rank.GENDER
    return _Rank.DESCRIPTION if is_modifier(word, words) else _Rank.NOUN


def genders_of_group(
    cluster: PeopleCluster, given: Sequence[AttributeDraw], prompt: str, policy: Policy
) -> str:
    """In words, how the genders of a group are shared out: counted where its people have draws
    ("two men and three women"), by the policy's targets otherwise ("half men and half women");
    "" where the prompt says it, or the policy leaves it alone."""
    if Attribute.GENDER not in policy.to_draw(cluster):
        return ""
    young = mentions_minor(read(prompt[cluster.start : cluster.end]))
    nouns = {gender: _GROUP_NOUNS.get(gender, {}).get(young) for gender in policy.pools.gender}
    counts = Counter(one.gender for one in given)
    parts = []
    if counts:
        for gender, noun in nouns.items():
            if number := counts[gender]:
                parts.append(f"{NUMBERS[number]} {noun[number > 1] if noun else gender}")
    elif not all(nouns.values()):
        return "of a mix of genders"
    else:
        shares = policy.targets.of(Attribute.GENDER)
        even = len(set(shares.values())) < 2 and len(nouns) == 2
        for gender, noun in nouns.items():
            share = "half" if even else f"{shares.get(gender, 100 // len(nouns))}%"
            parts.append(f"{share} {noun[1] if noun else gender}")
    if len(parts) == 1:
        return f"all {parts[0].split(maxsplit=1)[1]}"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _merge_several(
    prompt: str,
    cluster: PeopleCluster,
    given: Sequence[AttributeDraw],
    verdict: TextVerdict,
    policy: Policy,
) -> str:
    mixed = policy.to_draw(cluster)
    genders = genders_of_group(cluster, given, verdict.prompt, policy)
    parts = [genders] if genders else []
    mixes = []
    if Attribute.RACE in mixed:
        mixes.append("ethnicities")
    if Attribute.AGE in mixed:
        adult = Factor.SEXUAL in verdict.factors
        stages = policy.life_stages_to_draw(cluster.life_stages, verdict.factors)
        if len(stages) > 1:
            mixes.append("adult ages" if adult else "ages")
    if mixes:
        parts.append(f"of a mix of {' and '.join(mixes)}")
    if not parts:
        return prompt
    before, after = prompt[: cluster.end], prompt[cluster.end :]
    closing = "," if re.match(r"\s+\w", after) else ""
    return f"{before}, {', '.join(parts)}{closing}{after}"
