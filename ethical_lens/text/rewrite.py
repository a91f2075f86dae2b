"""Takes unsafe words out of a text, and steers a prompt away from what its picture showed.

A rewrite puts listed words in place of unsafe ones or deletes them, and adds no disclaimer. It is
never trusted: whoever calls judges the result again by the same rules.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ethical_lens.results import Concept
from ethical_lens.text import data
from ethical_lens.text.english import Edit, apply, tidy
from ethical_lens.text.figures import named_people
from ethical_lens.text.lexicon import load_lexicon
from ethical_lens.text.minors import clothing_pushed_away
from ethical_lens.text.normalise import read
from ethical_lens.text.people import find_clusters
from ethical_lens.text.phrases import PhraseBook
from ethical_lens.text.vocabulary import is_function_word

_PASSES: Final = 3
"""Taking words out can bring others together; after so many passes what is left is judged."""

_LONG: Final = 40
"""Words from which an addition goes first: text encoders cut a prompt's end off (77 tokens)."""


@dataclass(frozen=True)
class _Steer:
    """What one concept takes out of a prompt, and what it adds."""

    words: PhraseBook[str]
    people: tuple[str, ...]
    scene: tuple[str, ...]


@lru_cache(maxsize=1)
def _steers() -> dict[Concept, _Steer]:
    lists = data.load("concepts")
    return {
        concept: _Steer(
            words=PhraseBook(lists[concept.value]["words"].items()),
            people=tuple(lists[concept.value]["people"]),
            scene=tuple(lists[concept.value]["scene"]),
        )
        for concept in Concept
    }


def without_unsafe_words(text: str) -> str:
    """`text` without the terms of any factor; unchanged where there are none. May come back
    empty, and is to be judged again."""
    for _ in range(_PASSES):
        hits = load_lexicon().find(read(text))
        if not hits:
            break
        text = apply(
            text,
            [
                Edit(hit.start, hit.end, hit.value.instead or _if_noun(text, hit.start, hit.end))
                for hit in hits
            ],
        )
    return text


def _if_noun(text: str, start: int, end: int) -> str:
    """ "figure" where deleting `start:end` would leave an article without a noun ("a nude by the
    sea"), else nothing."""
    if not re.search(r"\b(?:an?|the)\s+$", text[:start], re.IGNORECASE):
        return ""
    following = re.match(r"\s+([a-zA-Z]+)", text[end:])
    return "figure" if following is None or is_function_word(following[1].lower()) else ""


def without_clothing_words(negative_prompt: str) -> str:
    """A negative prompt that no longer asks to leave out clothing; may come back empty."""
    for _ in range(_PASSES):
        spans = clothing_pushed_away(read(negative_prompt))
        if not spans:
            break
        negative_prompt = apply(negative_prompt, [Edit(start, end, "") for start, end in spans])
    return negative_prompt


def has_content(text: str) -> bool:
    """True where something is left to paint: a word of two letters or more that is no small word
    of English."""
    return any(
        len(token.text) > 1 and token.text.isalpha() and not is_function_word(token.text)
        for token in read(text).tokens
    )


def steered(prompt: str, concepts: frozenset[Concept]) -> str | None:
    """`prompt` without the words tied to `concepts`, and with one calm addition for each.

    Deterministic. None where no new wording is left to try: all additions are there already, or
    nothing remains of the prompt.
    """
    prompt = without_unsafe_words(prompt)
    for concept in sorted(concepts):
        steer = _steers()[concept]
        reading = read(prompt)
        named = named_people(reading)
        prompt = apply(
            prompt,
            [
                Edit(hit.start, hit.end, hit.value)
                for hit in steer.words.find(reading)
                if not any(person.start < hit.end and hit.start < person.end for person in named)
            ],
        )
        if not has_content(prompt):
            return None
        additions = steer.people if find_clusters(prompt) else steer.scene
        addition = next((a for a in additions if a not in prompt.casefold()), None)
        if addition is None:
            return None
        prompt = _with_addition(prompt, addition)
    return prompt


def _with_addition(prompt: str, addition: str) -> str:
    if len(prompt.split()) > _LONG:
        return f"{addition}, {prompt}"
    body = tidy(prompt.rstrip(" .,;:!"))
    return f"{body}, {addition}"
