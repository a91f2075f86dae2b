"""What is believed of texts that the model wrote: nothing, until the offline rules have read them.

A rewrite, merged prompt or revision is painted. So it must be readable, as safe as what it stands
for, show nobody younger and nobody else, and still be about the same thing. A refusal in place of
a prompt ("I cannot help with that") fails the last.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ethical_lens.results import (
    AttributeDraw,
    ClusterType,
    Concept,
    Label,
    LifeStage,
    PeopleCluster,
    TextVerdict,
)
from ethical_lens.text import judge
from ethical_lens.text.aligner import AlignmentError, UnreadablePrompt, UnreadableReply
from ethical_lens.text.figures import public_figures
from ethical_lens.text.kinds import people_words
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import Reading, Token, read
from ethical_lens.text.rewrite import has_content, without_unsafe_words
from ethical_lens.text.vocabulary import is_function_word, why_unreadable

KEPT_SHARE: Final = 0.75
"""Share of the words around its people that a merged prompt must still have."""

STAGE_WORDS: Final[Mapping[LifeStage, str]] = {
    LifeStage.INFANCY: "baby",
    LifeStage.CHILDHOOD: "child",
    LifeStage.ADOLESCENCE: "teenage",
    LifeStage.YOUNG_ADULTHOOD: "young",
    LifeStage.MIDDLE_AGE: "middle-aged",
    LifeStage.OLD_AGE: "elderly",
}
"""The word by which a merged prompt says a life stage."""

_ALSO: Final[Mapping[str, frozenset[str]]] = {
    "baby": frozenset({"babies", "infant"}),
    "child": frozenset({"boy", "girl", "children"}),
    "teenage": frozenset({"teen", "teenager", "teenaged"}),
    "male": frozenset({"man", "men", "boy", "he", "his"}),
    "female": frozenset({"woman", "women", "girl", "she", "her"}),
}
"""Words that say an attribute as well."""

_PLAIN_NOUNS: Final = frozenset({"person", "human", "individual", "adult"})


def must_be_safe(
    text: str, *, before: str, touching: judge.Strengths | None = None, minor: bool = False
) -> None:
    """Check `text`, written in place of `before`, as if it came from a user.

    `touching`: factors it may touch, and how strongly (none unless given). `minor`: whether
    somebody under 20 may be in it. Raises `UnreadableReply`, which quotes nothing.
    """
    reading = read(text)
    allowed = touching or {}
    if not has_content(text) or why_unreadable(reading) is not None:
        raise UnreadableReply("a text of the reply is no readable prompt")
    if any(found > allowed.get(factor, 0) for factor, found in judge.strengths(reading).items()):
        raise UnreadableReply("a text of the reply is unsafe itself")
    if mentions_minor(reading) and not minor:
        raise UnreadableReply("a text of the reply brings in somebody under 20")
    if set(public_figures(reading)) - set(public_figures(read(before))):
        raise UnreadableReply("a text of the reply brings in a public figure")


def must_keep_its_subject(text: str, *, before: str) -> None:
    """At least one word of what is safe in `before` must be left, or the text is about something
    else. Nothing is asked where `before` is in no English. Raises `UnreadableReply`."""
    if why_unreadable(read(before)) is not None:
        return
    wanted = _content(read(without_unsafe_words(before)).tokens)
    if wanted and not any(_has(token, _words(read(text))) for token in wanted):
        raise UnreadableReply("a text of the reply is not about the prompt")


def must_merge(text: str, verdict: TextVerdict, draws: Sequence[AttributeDraw]) -> None:
    """Check that `text` is `verdict.prompt` with `draws` in it: the scene, everybody's noun, every
    attribute given. Raises `UnreadableReply`."""
    reading = read(text)
    words = _words(reading)
    around = _content(
        [
            token
            for token in read(verdict.prompt).tokens
            if not any(c.start <= token.start < c.end for c in verdict.clusters)
        ]
    )
    kept = sum(_has(token, words) for token in around)
    if kept < KEPT_SHARE * len(around):
        raise UnreadableReply("a merged prompt lost part of its scene")
    if not all(_is_still_there(cluster, verdict, reading, words) for cluster in verdict.clusters):
        raise UnreadableReply("a merged prompt lost somebody")
    if not all(_says(value, words) for one in draws for value in values_of(one).values()):
        raise UnreadableReply("a merged prompt lost an attribute")


def must_be_revisable(prompt: str, concepts: frozenset[Concept]) -> None:
    """Check before anything is asked that `prompt` can be worded anew. Raises `AlignmentError`."""
    reading = read(prompt)
    why = why_unreadable(reading)
    if why is not None:
        raise UnreadablePrompt(f"the prompt cannot be judged: {why}")
    if judge.evidence(reading, read("")).label is Label.K3:
        raise AlignmentError("the prompt is not fit for generation in any wording")
    if not concepts:
        raise AlignmentError("no concept is named to steer away from")


def believed_revision(text: str, *, before: str) -> str:
    """`text` where it is a safe new wording of `before`. Raises `UnreadableReply`."""
    if text == before.strip():
        raise UnreadableReply("the revision changes nothing")
    must_be_safe(text, before=before, minor=mentions_minor(read(before)))
    must_keep_its_subject(text, before=before)
    return text


def values_of(one: AttributeDraw) -> dict[str, str]:
    """What a draw gives, in the words a merged prompt is to use."""
    age = STAGE_WORDS[one.age] if one.age is not None else None
    given = {"gender": one.gender, "race": one.race, "age": age}
    return {name: value for name, value in given.items() if value is not None}


def _is_still_there(
    cluster: PeopleCluster, verdict: TextVerdict, reading: Reading, words: frozenset[str]
) -> bool:
    *_, noun = read(verdict.prompt[cluster.start : cluster.end]).tokens
    if _has(noun, words):
        return True
    plain = cluster.type is ClusterType.ONE and not _PLAIN_NOUNS.isdisjoint(noun.forms)
    return plain and any(True for _ in people_words().nouns.find(reading))


def _says(value: str, words: frozenset[str]) -> bool:
    if not _ALSO.get(value, frozenset()).isdisjoint(words):
        return True
    parts = read(value).tokens
    # "Hispanic" and "Latino" both say "Latino-Hispanic"; "Middle Eastern" is not "Middle".
    needed = any if "-" in value and value not in STAGE_WORDS.values() else all
    return needed(_has(part, words) for part in parts)


def _content(tokens: Sequence[Token]) -> list[Token]:
    return [t for t in tokens if len(t.text) > 1 and not is_function_word(t.text)]


def _words(reading: Reading) -> frozenset[str]:
    return frozenset(form for token in reading.tokens for form in token.forms)


def _has(token: Token, words: frozenset[str]) -> bool:
    return not words.isdisjoint(token.forms)
