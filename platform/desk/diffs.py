"""The words of two texts side by side."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: in both, or `removed`, or `added`."""

    text: str
    removed: bool = False
    added: bool = False


def words_diff(before: str, after: str) -> list[Piece]:
    """What leads from `before` to `after`, word by word; the pieces without those that were added
    make `before`, without those removed `after`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("".join(old[i:j])))
            continue
        if i < j:
            pieces.append(Piece("".join(old[i:j]), removed=True))
        if k < m:
            pieces.append(Piece("".join(new[k:m]), added=True))
    return pieces
