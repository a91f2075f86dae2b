"""The little English that rewriting needs: articles, plurals, edits that leave no scars."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_VOWEL_SOUND = re.compile(
    r"(?!(?:uni(?!n|m)|use|usu|uto|eu|ewe|one\b|once|ufo|ukul|uran|ura))[aeiou]"
    r"|hour|honest|honou?r|heir|8|11\b|18\b",
    re.IGNORECASE,
)
_FUNCTION_AFTER_ARTICLE = (
    r"(?:of|in|on|at|with|and|or|by|to|for|from|near|under|over|behind|beside|is|are|was|were"
    r"|who|that|which|while)\b"
)
_DANGLING = r"(?:and|or|with|of|in|on|at|by|for|to|from|a|an|the|while|wearing)"


NUMBERS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip
"""In words, as long as English writes them so."""


@dataclass(frozen=True)
class Edit:
    """Replace `start:end` of a text by `instead`; "" deletes."""

    start: int
    end: int
    instead: str


def article(word: str) -> str:
    """ "a" or "an", by the first sound of `word`."""
    return "an" if _VOWEL_SOUND.match(word) else "a"


def plural(noun: str) -> str:
    """The regular plural of a singular noun or noun phrase."""
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all edits made and tidied: articles agree, spacing and commas are whole.

    Of overlapping edits the longest wins. Without edits the text comes back unchanged. May
    return an empty string.
    """
    chosen: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.start - e.end, e.start)):
        if all(edit.end <= other.start or other.end <= edit.start for other in chosen):
            chosen.append(edit)
    if not chosen:
        return text
    capital = text.lstrip(" ,.;:-")[:1].isupper()
    for edit in sorted(chosen, key=lambda e: -e.start):
        before, after = text[: edit.start], text[edit.end :]
        instead = edit.instead
        if re.search(r"\b(?:a|an|the|some)\s+$", before, re.IGNORECASE):
            instead = re.sub(r"^(?:a|an|the)\s+", "", instead)
        following = re.match(r"[\s,]*(\w[\w-]*)", instead or after)
        if following:
            before = re.sub(
                r"\b([Aa])n?(\s+)$",
                lambda m, word=following[1]: m[1] + article(word)[1:] + m[2],  # type: ignore[misc]
                before,
            )
        text = before + instead + after
    text = tidy(text)
    return text[:1].upper() + text[1:] if capital else text


def tidy(text: str) -> str:
    """Close the gaps that deletions leave: spaces, commas, articles without a noun."""
    for _ in range(3):
        text = re.sub(r"\s+", " ", text)
        text = re.sub(r"\(\s*\)|\[\s*\]|\"\s*\"", "", text)
        text = re.sub(r"\s+([,.;:!?])", r"\1", text)
        text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
        text = re.sub(r"[,;:]\s*\.", ".", text)
        text = re.sub(rf"\b(?:an?|the)\s+(?={_FUNCTION_AFTER_ARTICLE})", "", text, flags=re.I)
        text = re.sub(r"\b(and|or|with|of|a|an|the)(?:\s+\1\b)+", r"\1", text, flags=re.I)
        text = re.sub(rf"(?:^|(?<=[\s,]))\b{_DANGLING}\s*(?=[,.;]|$)", "", text, flags=re.I)
        text = re.sub(r"^(?:and|or|of)\b\s*", "", text.strip(" ,;:"), flags=re.I)
    return text.strip(" ,;:")
