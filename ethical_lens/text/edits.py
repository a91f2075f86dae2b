"""What was changed in a text, change by change, each with its reason."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from ethical_lens.results import AttributeDraw, TextEdit, TextVerdict
from ethical_lens.text.judge import FACTOR_NAMES
from ethical_lens.text.kinds import people_words
from ethical_lens.text.lexicon import load_lexicon
from ethical_lens.text.normalise import read

GRAMMAR: Final = "keeps the sentence whole"
DIFFERING: Final = "the people of a group differ"
WORDED_ANEW: Final = "worded anew after what the picture showed"
_WORD: Final = re.compile(r"\S+\s*")
_NO_MARKS: Final = str.maketrans("", "", ".,;:!?")
_ARTICLES: Final = frozenset({"a", "an", "the"})


class _Change(NamedTuple):
    start: int
    end: int
    before: str
    after: str


def rewrite_edits(before: str, after: str, verdict: TextVerdict) -> tuple[TextEdit, ...]:
    """The changes from `before` to `after`, its rewrite, each with the factors it answers to.

    Those whose terms stand in the words that went; where none does, all of `verdict`, whose maker
    (a language model) saw more than word lists do. A change of small words alone is grammar.
    """
    hits = list(load_lexicon().find(read(before)))
    edits = []
    for change in _changes(before, after):
        factors = frozenset(
            hit.value.factor for hit in hits if hit.start < change.end and change.start < hit.end
        )
        if not factors and not _is_grammar(change):
            factors = verdict.factors
        names = ", ".join(FACTOR_NAMES[factor] for factor in sorted(factors))
        reason = f"takes out {names}" if names else GRAMMAR
        edits.append(TextEdit(**change._asdict(), reason=reason, factors=factors))
    return tuple(edits)


def merge_edits(
    before: str, after: str, draws: Sequence[AttributeDraw], *, round: int
) -> tuple[TextEdit, ...]:
    """The changes from `before`, the prompt of the verdict, to `after`, the prompt of one picture.

    What its `draws` put in is named so; of a picture that is painted again (`round` 2) the rest is
    what was worded anew.
    """
    drawn = dict.fromkeys(
        value for one in draws for value in (one.age, one.race, one.gender) if value is not None
    )
    given = f"drawn: {', '.join(drawn)}" if drawn else DIFFERING
    edits = []
    for change in _changes(before, after):
        if _is_grammar(change):
            reason = GRAMMAR
        else:
            reason = given if round == 1 or _speaks_of_attributes(change.after) else WORDED_ANEW
        edits.append(TextEdit(**change._asdict(), reason=reason))
    return tuple(edits)


def _changes(before: str, after: str) -> Iterator[_Change]:
    """Runs of words that differ; offsets into `before`."""
    old, new = (list(_WORD.finditer(text)) for text in (before, after))
    matcher = SequenceMatcher(
        None, [w[0].strip() for w in old], [w[0].strip() for w in new], autojunk=False
    )
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        start = old[i].start() if i < len(old) else len(before)
        end = old[j - 1].end() if j > i else start
        gone = before[start:end].rstrip()
        yield _Change(start, start + len(gone), gone, "".join(w[0] for w in new[k:m]).rstrip())


def _speaks_of_attributes(text: str) -> bool:
    known = people_words().attribute_words
    return any(not known.isdisjoint(token.forms) for token in read(text).tokens)


def _is_grammar(change: _Change) -> bool:
    """Only articles, marks and capitals differ."""
    before, after = (
        [word for word in text.lower().translate(_NO_MARKS).split() if word not in _ARTICLES]
        for text in (change.before, change.after)
    )
    return before == after
