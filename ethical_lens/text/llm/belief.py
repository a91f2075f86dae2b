"""What is believed of a verdict that the model gave, against what the word lists find.

A prompt can talk a model into anything, so its word is never the only one:

- A verdict is not believed where the lists find K2 or K3 and it says K0, or they find K3 and it
  says anything less. Then nobody has judged, and the next aligner or a person does.
- K1 against K0 is believed: the lists take "a butcher cutting meat" for violence, and telling that
  apart is what a model is asked for. What passes is never explicit.
- Whatever makes later checks stricter is added from both: factors beside K1 and K2 (sexual content
  takes life stages under 20 out of the draw), a minor, a figure that the model overlooked.
- What is to be painted must have been read by both. Where the lists cannot read the prompt, a
  verdict that lets it pass unchanged rests on the model alone, and is not believed.
- K3 is always believed, in whatever company of labels it comes.
- Of people, what the lists know stays: who is named or of history is never diversified, what the
  prompt states is not open, and the kind of a person, by which draws are balanced, is the lists'.
"""

import re
from typing import Final

from pydantic import ValidationError

from ethical_lens.results import ClusterType, Label, PeopleCluster, TextVerdict
from ethical_lens.text import judge
from ethical_lens.text.aligner import UnreadablePrompt, UnreadableReply
from ethical_lens.text.figures import depicted_figures, public_figures
from ethical_lens.text.kinds import PERSON
from ethical_lens.text.llm.schema import Figure, Person, ScrutinyReply
from ethical_lens.text.llm.wording import must_be_safe, must_keep_its_subject
from ethical_lens.text.minors import clothing_pushed_away, pushes_adulthood_away
from ethical_lens.text.normalise import Reading, read
from ethical_lens.text.people import find_clusters
from ethical_lens.text.vocabulary import why_unreadable

_PLAIN_KIND: Final = re.compile(r"[a-z]+(?:[ -][a-z]+){0,2}")
_LONGEST_KIND: Final = 40
_REWRITTEN: Final = frozenset({Label.K1, Label.K2})


def believed_verdict(reply: ScrutinyReply, prompt: str, negative_prompt: str) -> TextVerdict:
    """The verdict in `reply`, checked against the prompt and the rules above.

    Raises `UnreadableReply` for contradictions, in itself or with the word lists, and
    `UnreadablePrompt` where the lists could not read what would be painted.
    """
    reading, negative = read(prompt), read(negative_prompt)
    evidence = judge.evidence(reading, negative)
    labels = _labels(reply)
    (toxicity,) = labels - {Label.A1}
    _must_not_be_laxer(toxicity, evidence.label)
    if toxicity is not Label.K3:
        _must_be_readable(negative, what="negative prompt", keywords=True)

    final, negative_left = prompt, negative_prompt
    if toxicity in _REWRITTEN:
        final, negative_left = reply.rewrite, reply.negative_rewrite
        _must_be_a_rewrite(reply, prompt, negative_prompt, minor=evidence.minor)
    elif toxicity is Label.K0:
        _must_be_readable(reading, what="prompt")
        if reply.rewrite not in {"", prompt.strip()}:
            raise UnreadableReply("the reply rewrites what it calls safe")

    scores = {entry.factor: entry.score for entry in reply.factors if entry.score > 0}
    if toxicity in _REWRITTEN and not scores:
        raise UnreadableReply("the reply names no factor for its label")
    if toxicity is not Label.K0:
        found = judge.scores(evidence.found, endangers_minor=evidence.endangers_minor)
        scores = {
            factor: max(scores.get(factor, 0.0), found.get(factor, 0.0))
            for factor in scores.keys() | found.keys()
        }
    figures = _figures(reply.figures, reading)
    if figures and (toxicity is Label.K3 or not any(f.depicted for f in reply.figures)):
        labels |= {Label.A1}
    try:
        return TextVerdict(
            labels=labels,
            factors=frozenset(scores),
            factor_scores=scores,
            score=max(scores.values(), default=0.0),
            explanation=reply.explanation,
            prompt=final,
            negative_prompt=negative_left,
            clusters=() if toxicity is Label.K3 else _clusters(reply.people, final),
            figures=figures,
            minor=reply.minor or evidence.minor,
        )
    except ValidationError as error:
        raise UnreadableReply("the reply contradicts itself") from error


def _labels(reply: ScrutinyReply) -> frozenset[Label]:
    labels = frozenset(reply.labels)
    if Label.K3 in labels:
        return frozenset({Label.K3})
    if len(labels - {Label.A1}) != 1:
        raise UnreadableReply("the reply has no K label, or several")
    return labels


def _must_not_be_laxer(said: Label, found: Label) -> None:
    laxer = judge.rank(said) < judge.rank(found)
    if laxer and (found is Label.K3 or (found is Label.K2 and said is Label.K0)):
        raise UnreadableReply(f"the model says {said}, where the word lists find {found}")


def _must_be_readable(reading: Reading, *, what: str, keywords: bool = False) -> None:
    why = why_unreadable(reading, keywords=keywords)
    if why is not None:
        raise UnreadablePrompt(f"no second look could be had at the {what}: {why}")


def _must_be_a_rewrite(
    reply: ScrutinyReply, prompt: str, negative_prompt: str, *, minor: bool
) -> None:
    """Both texts of a K1 or K2: changed, safe, and of the prompt. Words of the negative prompt may
    only be left out."""
    negative = read(reply.negative_rewrite)
    added = {t.text for t in negative.tokens} - {t.text for t in read(negative_prompt).tokens}
    if added or clothing_pushed_away(negative):
        raise UnreadableReply("the rewritten negative prompt is unsafe or has words of its own")
    if pushes_adulthood_away(negative):
        raise UnreadableReply("the rewritten negative prompt pushes adulthood away")
    if (reply.rewrite, reply.negative_rewrite) == (prompt.strip(), negative_prompt.strip()):
        raise UnreadableReply("the rewrite changes nothing")
    must_be_safe(reply.rewrite, before=prompt, minor=minor)
    must_keep_its_subject(reply.rewrite, before=prompt)


def _figures(named: tuple[Figure, ...], reading: Reading) -> tuple[str, ...]:
    """The figures to be depicted, and listed ones that the model did not mention at all."""
    wanted = [figure.name for figure in named if figure.depicted]
    mentioned = {usual for f in named for usual in (f.name, *public_figures(read(f.name)))}
    overlooked = [name for name in depicted_figures(reading) if name not in mentioned]
    return tuple(dict.fromkeys((*wanted, *overlooked)))


def _clusters(people: tuple[Person, ...], prompt: str) -> tuple[PeopleCluster, ...]:
    """People with their places in `prompt`; each phrase stands for its first free occurrence.

    Raises `UnreadableReply` for people who are not in the prompt.
    """
    listed = find_clusters(prompt)
    taken: list[tuple[int, int]] = []
    clusters: list[PeopleCluster] = []
    for person in people:
        start, end = _place(person.phrase, prompt, taken)
        taken.append((start, end))
        known = [own for own in listed if own.start < end and start < own.end]
        open_attributes = frozenset(person.open_attributes)
        for own in known:
            open_attributes &= own.open_attributes
        types = {person.number.cluster_type, *(own.type for own in known)}
        named = ClusterType.NAMED in types
        clusters.append(
            PeopleCluster(
                kind=known[0].kind if known else _kind(person.kind),
                type=ClusterType.NAMED if named else person.number.cluster_type,
                start=start,
                end=end,
                open_attributes=open_attributes,
                life_stages=tuple(dict.fromkeys(person.life_stages)),
            )
        )
    return tuple(sorted(clusters, key=lambda cluster: cluster.start))


def _kind(word: str) -> str:
    """A kind of person that the lists do not know, as the key of a deck: short, and of letters."""
    known = find_clusters(word)
    if known:
        return known[0].kind
    plain = " ".join(word.casefold().split())
    fits = len(plain) <= _LONGEST_KIND and _PLAIN_KIND.fullmatch(plain)
    return plain if fits else PERSON.name


def _place(phrase: str, prompt: str, taken: list[tuple[int, int]]) -> tuple[int, int]:
    if not read(phrase).tokens:
        raise UnreadableReply("a phrase for people has no word")
    words = r"\s+".join(map(re.escape, phrase.split()))
    for match in re.finditer(rf"(?<!\w){words}(?!\w)", prompt, re.IGNORECASE):
        if all(match.end() <= start or end <= match.start() for start, end in taken):
            return match.span()
    raise UnreadableReply("the reply has people who are not in the prompt")
