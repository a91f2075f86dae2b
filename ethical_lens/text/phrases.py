"""Finds any of many phrases in a reading: the one matcher that every word list uses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from ethical_lens.text.normalise import Gap, Reading, Token, read
from ethical_lens.text.vocabulary import is_common_word

T = TypeVar("T")

SHORTEST_HIDDEN_WORD = 3
"""Words of fewer letters are not looked for inside split or masked text: chance would find them."""


@dataclass(frozen=True)
class Hit(Generic[T]):
    """A phrase found: its value, and where it stands in the original (`end` exclusive)."""

    value: T
    start: int
    end: int


class PhraseBook(Generic[T]):
    """An immutable set of phrases, each with a value. Phrases are split as `read` splits text."""

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        index: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for phrase, value in phrases:
            words = tuple(token.text for token in read(phrase).tokens)
            index.setdefault(words[0], []).append((words, value))
        self._index: Mapping[str, tuple[tuple[tuple[str, ...], T], ...]] = MappingProxyType(
            {first: tuple(entries) for first, entries in index.items()}
        )

    def find(self, reading: Reading) -> Iterator[Hit[T]]:
        """Every phrase in the words as they stand, overlapping ones included. No phrase runs
        across a comma or a full stop."""
        tokens = reading.tokens
        for first, token in enumerate(tokens):
            for words, value in self._starting_with(token):
                last = first + len(words)
                if last <= len(tokens) and all(
                    words[i] in tokens[first + i].forms and tokens[first + i].gap is not Gap.BREAK
                    for i in range(1, len(words))
                ):
                    yield Hit(value, token.start, tokens[last - 1].end)

    def find_hidden(self, reading: Reading) -> Iterator[Hit[T]]:
        """Single words that appear once separators are ignored ("n-u-d-e", "na ked") or masked
        letters filled in ("n*de"). Two words with a space between count as one only where at
        least one of them is no English word."""
        for token in reading.joined:
            if token.parts and all(map(is_common_word, token.parts)):
                continue
            for words, value in self._starting_with(token):
                if len(words) == 1 and len(words[0]) >= SHORTEST_HIDDEN_WORD:
                    yield Hit(value, token.start, token.end)
            if "*" in token.text:
                yield from self._masked(token)

    def _starting_with(self, token: Token) -> Iterator[tuple[tuple[str, ...], T]]:
        for form in token.forms:
            yield from self._index.get(form, ())

    def _masked(self, token: Token) -> Iterator[Hit[T]]:
        if 2 * token.text.count("*") > len(token.text):
            return
        pattern = re.compile(re.escape(token.text).replace(r"\*", "[a-z]"))
        for first, entries in self._index.items():
            if len(first) >= SHORTEST_HIDDEN_WORD and pattern.fullmatch(first):
                for words, value in entries:
                    if len(words) == 1:
                        yield Hit(value, token.start, token.end)
