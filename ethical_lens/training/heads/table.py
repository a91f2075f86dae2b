"""The label table: a CSV in which raters say what they see in pictures.

Wide, a row per picture and rater, a column per concept:

    picture,rater,nude,public
    a/1.png,anna,1,0
    a/1.png,ben,yes,

Long, a row per answer, which is what an export of a review desk gives; further columns are free:

    picture,rater,concept,label,decided_at
    a/1.png,anna,nude,1,2025-05-01

An empty answer says nothing. `picture` is a path in the folder of pictures.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ethical_lens.results import Concept
from ethical_lens.training.heads.errors import TableError

_YES: Final = frozenset({"1", "yes", "y", "true"})
_NO: Final = frozenset({"0", "no", "n", "false"})
_LONG: Final = ("concept", "label")
_SHOWN: Final = 5
"""Wrong rows that an error names."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What `rater` says of `picture`: whether it shows `concept`. None for an empty answer."""

    picture: str
    rater: str
    concept: Concept
    answer: bool | None


def read_votes(file: Path, concepts: Collection[Concept] | None = None) -> list[Vote]:
    """The votes of a table on `concepts`, on all that it knows unless given.

    Without `concepts` every column of a wide table must be a concept, so that a misspelt one is
    not left out in silence.

    Raises `TableError` for a missing column, an unknown concept, or rows that are wrong, by line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _must_have(file, header, ("picture", "rater"))
            if len(set(header)) != len(header):
                raise TableError(f"{file}: a column stands twice in: {', '.join(header)}.")
            rows = ((reader.line_num, row) for row in reader if row)
            if set(_LONG) & set(header):
                _must_have(file, header, _LONG)
                found = list(_long(file, header, rows))
            else:
                found = list(_wide(file, header, rows, concepts))
    except OSError as error:
        raise TableError(f"{file}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{file}: is not UTF-8; save it as UTF-8.") from error
    except csv.Error as error:
        raise TableError(f"{file}: line {reader.line_num} is no CSV: {error}.") from error
    votes = [vote for vote in found if concepts is None or vote.concept in concepts]
    if absent := set(concepts or ()) - {vote.concept for vote in votes}:
        raise TableError(f"{file}: says nothing of {', '.join(sorted(absent))}.")
    if not votes:
        raise TableError(f"{file}: has no row below its header.")
    return votes


def _must_have(file: Path, header: Sequence[str], wanted: Sequence[str]) -> None:
    if absent := [name for name in wanted if name not in header]:
        raise TableError(
            f"{file}: no column {', '.join(absent)}; there are: {', '.join(header) or 'none'}. "
            "Needed are picture, rater and either a column per concept "
            f"({', '.join(Concept)}) or the columns concept and label."
        )


def _wide(
    file: Path,
    header: Sequence[str],
    rows: Iterator[tuple[int, list[str]]],
    concepts: Collection[Concept] | None,
) -> Iterator[Vote]:
    others = [name for name in header if name not in {"picture", "rater"}]
    known = [name for name in others if name in {*Concept}]
    if not known:
        _must_have(file, header, _LONG)
    if concepts is None and len(known) < len(others):
        raise TableError(
            f"{file}: unknown concept {', '.join(sorted({*others} - {*known}))}; there are "
            f"{', '.join(Concept)}. Correct the column, take it out, or name the concepts that "
            "are meant with --concept."
        )
    checked = _Checked(file, header)
    for line, row in rows:
        fields = checked.fields(line, row)
        if fields is not None:
            for name in known:
                answer = checked.answer(line, name, fields[name])
                yield Vote(fields["picture"], fields["rater"], Concept(name), answer)
    checked.end()


def _long(
    file: Path, header: Sequence[str], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[Vote]:
    checked = _Checked(file, header)
    for line, row in rows:
        fields = checked.fields(line, row)
        if fields is None:
            continue
        concept = fields["concept"].lower()
        if concept not in {*Concept}:
            checked.wrong(line, f"unknown concept {concept!r}, there are {', '.join(Concept)}")
            continue
        answer = checked.answer(line, "label", fields["label"])
        yield Vote(fields["picture"], fields["rater"], Concept(concept), answer)
    checked.end()


class _Checked:
    """Collects what is wrong with the rows, so that one error names several."""

    def __init__(self, file: Path, header: Sequence[str]) -> None:
        self._file, self._header = file, header
        self._wrong = list[str]()

    def fields(self, line: int, row: list[str]) -> dict[str, str] | None:
        if len(row) != len(self._header):
            self.wrong(line, f"{len(row)} fields, the header has {len(self._header)}")
            return None
        fields = {name: cell.strip() for name, cell in zip(self._header, row, strict=True)}
        empty = [name for name in ("picture", "rater") if not fields[name]]
        if empty:
            self.wrong(line, f"{' and '.join(empty)} is empty")
            return None
        return fields

    def answer(self, line: int, column: str, cell: str) -> bool | None:
        if cell.lower() in _YES:
            return True
        if cell and cell.lower() not in _NO:
            self.wrong(line, f"{column} is {cell!r}; give 1, 0, yes, no, true, false or nothing")
        return False if cell else None

    def wrong(self, line: int, what: str) -> None:
        self._wrong.append(f"  line {line}: {what}")

    def end(self) -> None:
        if self._wrong:
            more = len(self._wrong) - _SHOWN
            rest = [f"  and {more} more"] if more > 0 else []
            lines = "\n".join([*self._wrong[:_SHOWN], *rest])
            raise TableError(f"{self._file}: rows that are wrong:\n{lines}")
