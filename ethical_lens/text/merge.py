"""Merges draws with a prompt, in fluent English and without an LLM.

One person gets her own draw ("an elderly Asian female doctor"); a group gets proportions ("two
doctors, half men and half women, of a mix of ethnicities and ages"); named people stay as they
are (Cai et al. 2025, text scrutiny for bias).
"""

import re
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
from ethical_lens.text.english import article
from ethical_lens.text.kinds import PeopleWords, people_words
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read
from ethical_lens.text.people import is_modifier

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

    Raises `AlignmentError` for a draw that does not fit: no such cluster, two draws for one, or a
    value for an attribute that the prompt states or the cluster cannot take; and for clusters
    that overlap or cover no word.
    """
    by_cluster: dict[int, AttributeDraw] = {}
    for one in draws:
        if one.cluster >= len(verdict.clusters) or one.cluster in by_cluster:
            raise AlignmentError("a draw names no cluster of this prompt, or one twice")
        _check(one, verdict.clusters[one.cluster])
        by_cluster[one.cluster] = one
    in_order = sorted(verdict.clusters, key=lambda cluster: cluster.start)
    if any(first.end > second.start for first, second in pairwise(in_order)):
        raise AlignmentError("clusters overlap")
    prompt = verdict.prompt
    for index, cluster in sorted(enumerate(verdict.clusters), key=lambda item: -item[1].start):
        if cluster.type is ClusterType.ONE and index in by_cluster:
            prompt = _merge_one(prompt, cluster, by_cluster[index])
        elif cluster.type is ClusterType.SEVERAL:
            prompt = _merge_several(prompt, cluster, verdict, policy)
    return PicturePrompt(prompt=prompt, draws=tuple(draws))


def _check(one: AttributeDraw, cluster: PeopleCluster) -> None:
    drawn = {attribute for attribute in Attribute if getattr(one, attribute.value) is not None}
    if drawn and (cluster.type is not ClusterType.ONE or drawn - cluster.open_attributes):
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


def _merge_several(
    prompt: str, cluster: PeopleCluster, verdict: TextVerdict, policy: Policy
) -> str:
    mixed = cluster.open_attributes & policy.diversify
    parts: list[str] = []
    if Attribute.GENDER in mixed:
        binary = set(policy.pools.gender) == {"male", "female"}
        young = mentions_minor(read(prompt[cluster.start : cluster.end]))
        halves = "half boys and half girls" if young else "half men and half women"
        parts.append(halves if binary else "of a mix of genders")
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
