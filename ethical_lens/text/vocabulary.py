"""Can this text be read as English? What cannot be read is never judged safe."""

from dataclasses import dataclass
from functools import lru_cache

from ethical_lens.text import data
from ethical_lens.text.normalise import Reading, read

READABLE_SHARE = 0.4
"""Share of the content words that must be known. Names are unknown words, so not all need be."""

ENGLISH_SHARE = 0.75
"""From this share on, small words of another language are taken for parts of names ("the Rue des
Fleurs")."""

SHORTEST_STEM = 3

_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("es", ""),
    ("s", ""),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
    ("er", ""),
    ("er", "e"),
    ("est", ""),
    ("est", "e"),
    ("ly", ""),
    ("y", ""),
    ("ish", ""),
    ("less", ""),
    ("ful", ""),
    ("ness", ""),
    ("ward", ""),
    ("like", ""),
    ("al", ""),
    ("ic", ""),
    ("ist", ""),
    ("ism", ""),
    ("ion", ""),
    ("ion", "e"),
    ("ation", "e"),
    ("ment", ""),
    ("able", ""),
    ("able", "e"),
    ("ing", "ie"),
    ("ous", ""),
    ("en", ""),
)
_BEGINNINGS = ("un", "re", "over", "under", "hyper", "ultra", "photo", "neo", "non", "post", "semi")


@dataclass(frozen=True)
class _English:
    function_words: frozenset[str]
    foreign_words: frozenset[str]
    words: frozenset[str]


@lru_cache(maxsize=1)
def _english() -> _English:
    lists = data.load("english")
    words: set[str] = set(lists["words"].split())
    for name in data.FACTOR_FILES:
        terms = data.load(name)
        for table in (terms["extreme"], *(terms[table] for table in data.FACTOR_TABLES)):
            words.update(word for term in table for word in term.split())
    for phrase in data.load("minors")["words"]:
        words.update(phrase.split())
    people = data.load("people")
    for kind in people["kinds"]:
        listed = f"{kind.get('nouns', '')} {kind.get('phrases', '')}"
        words.update(listed.replace("/", " ").replace(";", " ").split())
    for name in ("race", "age", "male", "female", "adult_context"):
        words.update(people["words"][name])
    figures = data.load("figures")
    for row in (*figures["figures"], figures["characters"]):
        words.update(token.text for name in row for token in read(name).tokens)
    function_words = frozenset(lists["function_words"].split())
    return _English(
        function_words=function_words,
        foreign_words=frozenset(token.text for token in read(lists["foreign_words"].strip()).tokens)
        - words
        - function_words,
        words=frozenset(words) - function_words,
    )


def is_function_word(word: str) -> bool:
    """True for the small words of English ("of", "the", "with"). `word`: folded, one word."""
    return word in _english().function_words


def is_common_word(word: str) -> bool:
    """True where `word` (folded), or what is left without its ending or beginning, is listed."""
    if _is_listed(word):
        return True
    return any(
        word.startswith(beginning) and _is_listed(word.removeprefix(beginning))
        for beginning in _BEGINNINGS
        if len(word) >= len(beginning) + SHORTEST_STEM
    )


def _is_listed(word: str) -> bool:
    lists = _english()
    known = lists.words
    if word in known or word in lists.function_words:
        return True
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            stem = word[: -len(ending)] + instead
            if stem in known:
                return True
            if not instead and stem[-1] == stem[-2] and stem[:-1] in known:
                return True
    return False


def why_unreadable(reading: Reading, *, keywords: bool = False) -> str | None:
    """None where the text reads as English, else the reason in words.

    Unreadable: no word at all; a word in another script that does not fold to a known English
    word; more small words of another language than English ones; too few known words. `keywords`
    drops the last for lists of tags (negative prompts), where a word asks to avoid something.
    """
    lists = _english()
    words = [token for token in reading.tokens if any(c.isalpha() for c in token.text)]
    if not words:
        return None if keywords and not reading.original.strip() else "it has no words"
    for token in words:
        latin = all("a" <= c <= "z" or not c.isalpha() for c in token.text)
        if not latin or (token.foreign and not any(map(is_common_word, token.forms))):
            return "part of it is in a script this aligner cannot read"
    texts = [token.text for token in words]
    small = sum(text in lists.function_words for text in texts)
    foreign = sum(text in lists.foreign_words for text in texts)
    content = [
        token
        for token in words
        if token.text not in lists.function_words
        and len(token.text) > 1
        and not token.text[0].isdigit()
        and not token.possessive
    ]
    known = sum(
        any(len(form) > 1 and is_common_word(form) for form in token.forms) for token in content
    )
    share = known / len(content) if content else 1.0
    if foreign > small and share < ENGLISH_SHARE:
        return "it seems to be in another language than English"
    if share < READABLE_SHARE and not keywords:
        return "too few of its words are known English words"
    if not content and not any(len(text) > 1 for text in texts):
        return "it has no words"
    return None
