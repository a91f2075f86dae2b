"""Text as a matcher should see it, with the way back to the text as it was written.

Compatibility forms and accents are folded, invisible characters dropped, look-alike letters of
other scripts and styles read as Latin, digits and signs inside words read as the letters they
stand for ("n4ked"), long runs of one letter shortened, and split words put together ("n u d e",
"na-ked"). The original is never changed: every token knows which part of it it covers.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

_LOOK_ALIKES: Final = {
    # Cyrillic and Greek letters drawn like Latin ones (lower case: folding comes first)
    **dict(zip("авекмнорстухісјѕԁһԛԝъьгпи", "abekmhopctyxicjsdhqwbbrnu", strict=True)),
    **dict(zip("αβεηικνορτυχωγ", "abenikvoptuxwy", strict=True)),
    # small capitals and letters that do not decompose
    **dict(
        zip("ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıøłđɑɡ", "abcdefghijklmnoprstuvwyziolda" + "g", strict=True)
    ),
    "æ": "ae",
    "œ": "oe",
    # pictures that are used as words
    "🔞": " nsfw ",
    "🔪": " knife ",
    "🖕": " middle finger ",
    "🩸": " blood ",
    "卐": " swastika ",
    "卍": " swastika ",
}
_ENCLOSED_LETTERS: Final = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))
_APOSTROPHES: Final = "\u2019\u2018`\u00b4\u02bc\uff07"
_LEET: Final = str.maketrans("034578@$+", "oeastbast")
_JOINERS: Final = "-./*·•~'\\@$!+"
_SIGNS: Final = "@$!|*+"
_WORD: Final = re.compile(r"\w+(?:'\w+)*")
_WORD_WITH_SIGNS: Final = re.compile(rf"[\w{re.escape(_SIGNS)}]+")
_LONG_RUN: Final = re.compile(r"([a-z])\1{2,}")
_BREAK: Final = re.compile(r"[.,;:!?()\[\]{}\n|]")
_LONGEST_SPELT_OUT: Final = 16


class Gap(Enum):
    """What stands between a token and the one before it."""

    START = "start"
    SPACE = "space"
    JOINER = "joiner"  # a hyphen, dot or the like, and no space
    BREAK = "break"  # a comma, full stop or other pause


@dataclass(frozen=True)
class Token:
    """A word: `forms[0]` as folded, the rest other ways to read it. `start` and `end` (exclusive)
    are offsets in the original. `foreign`: written with letters of another script. `parts` is
    set on a joined token: the folded words it was put together from."""

    forms: tuple[str, ...]
    start: int
    end: int
    gap: Gap
    possessive: bool = False
    foreign: bool = False
    parts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.forms[0]


@dataclass(frozen=True)
class Reading:
    """A text read for matching.

    `tokens` are its words in order; `joined` are further single words that hold where separators
    are ignored. `text` is the words with one space between them, or ` , ` where there is a pause;
    `original_span` leads back.
    """

    original: str
    tokens: tuple[Token, ...]
    joined: tuple[Token, ...]
    text: str
    _places: tuple[int, ...]

    def token_span(self, start: int, end: int) -> tuple[int, int]:
        """First and last-plus-one token of the span `start:end` of `text`."""
        first = max(i for i, place in enumerate(self._places) if place <= start)
        last = max(i for i, place in enumerate(self._places) if place < end)
        return first, last + 1

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of `original` that the span `start:end` of `text` came from."""
        first, last = self.token_span(start, end)
        return self.tokens[first].start, self.tokens[last - 1].end


def read(text: str) -> Reading:
    """Read `text` (any length, may be empty). Pure; never raises."""
    folded, origins, foreign = _fold(text)
    tokens = tuple(_tokens(folded, origins, foreign))
    pieces: list[str] = []
    places: list[int] = []
    length = 0
    for token in tokens:
        separator = {Gap.START: "", Gap.BREAK: " , "}.get(token.gap, " ")
        length += len(separator)
        places.append(length)
        pieces += [separator, token.text]
        length += len(token.text)
    return Reading(
        original=text,
        tokens=tokens,
        joined=(*_joined(tokens), *_with_signs(folded, origins)),
        text="".join(pieces),
        _places=tuple(places),
    )


def _fold(text: str) -> tuple[str, list[int], list[bool]]:
    """Folded characters, the offset each came from, and whether it was of another script."""
    characters: list[str] = []
    origins: list[int] = []
    foreign: list[bool] = []
    for offset, original in enumerate(text):
        if unicodedata.category(original) == "Cf":
            continue
        for decomposed in unicodedata.normalize("NFKD", original):
            if unicodedata.category(decomposed) == "Mn":
                continue
            for character in decomposed.casefold():
                is_foreign = character.isalpha() and not unicodedata.name(character, "").startswith(
                    "LATIN"
                )
                for latin in _latin(character):
                    characters.append(latin)
                    origins.append(offset)
                    foreign.append(is_foreign and latin.isalpha())
    return "".join(characters), origins, foreign


def _latin(character: str) -> str:
    if character in _APOSTROPHES:
        return "'"
    if character == "_":
        return "-"
    if unicodedata.category(character) == "Pd":
        return "-"
    code = ord(character)
    for first, count in _ENCLOSED_LETTERS:
        if first <= code < first + count:
            return chr(ord("a") + code - first)
    return _LOOK_ALIKES.get(character, character)


def _tokens(folded: str, origins: list[int], foreign: list[bool]) -> Iterator[Token]:
    previous_end: int | None = None
    for match in _WORD.finditer(folded):
        word, start = match.group(), match.start()
        possessive = word.endswith("'s")
        if possessive:
            word = word[:-2]
        end = start + len(word)
        between = "" if previous_end is None else folded[previous_end:start]
        if previous_end is None:
            gap = Gap.START
        elif between.removeprefix("'s") and all(c in _JOINERS for c in between.removeprefix("'s")):
            gap = Gap.JOINER
        else:
            gap = Gap.BREAK if _BREAK.search(between) else Gap.SPACE
        yield Token(
            forms=_forms(word),
            start=origins[start],
            end=origins[end - 1] + 1,
            gap=gap,
            possessive=possessive,
            foreign=any(foreign[start:end]),
        )
        previous_end = end


def _with_signs(folded: str, origins: list[int]) -> Iterator[Token]:
    """Words that have signs for letters, or stars over them, in place: "b@d", "$et", "n*me"."""
    for match in _WORD_WITH_SIGNS.finditer(folded):
        word = match.group().lstrip("!|*+")
        start = match.end() - len(word)
        word = word.rstrip("!|+")
        if any(c in _SIGNS for c in word) and any(c.isalpha() for c in word):
            last = start + len(word) - 1
            yield Token(_forms(word), origins[start], origins[last] + 1, Gap.SPACE)


def _forms(word: str) -> tuple[str, ...]:
    """`word` and its other readings: signs as letters, long runs of a letter as one or two."""
    forms = [word]
    if any(c.isalpha() for c in word) and not word.isalpha():
        letters = word.translate(_LEET)
        forms += [letters.replace("1", i).replace("!", i).replace("|", i) for i in ("i", "l")]
    for form in tuple(forms):
        if _LONG_RUN.search(form):
            forms += [_LONG_RUN.sub(r"\1" * n, form) for n in (1, 2)]
    return tuple(dict.fromkeys(forms))


def _joined(tokens: tuple[Token, ...]) -> Iterator[Token]:
    """Words that appear once separators are ignored: words run together by hyphens or dots,
    three or more single letters in a row, and two words with a space between (`parts`)."""
    for first, token in enumerate(tokens):
        letters = len(token.text)
        for last in range(first + 1, min(first + _LONGEST_SPELT_OUT, len(tokens))):
            letters += len(tokens[last].text)
            count = last - first + 1
            single = letters == count
            if not single and (tokens[last].gap is not Gap.JOINER or letters > _LONGEST_SPELT_OUT):
                break
            if not single or count > 2:
                yield _join(tokens[first : last + 1], parts=False)
        if first + 1 < len(tokens) and tokens[first + 1].gap is Gap.SPACE:
            yield _join(tokens[first : first + 2], parts=True)


def _join(tokens: tuple[Token, ...], *, parts: bool) -> Token:
    return Token(
        forms=_forms("".join(token.text for token in tokens)),
        start=tokens[0].start,
        end=tokens[-1].end,
        gap=tokens[0].gap,
        foreign=any(token.foreign for token in tokens),
        parts=tuple(token.text for token in tokens) if parts else (),
    )
