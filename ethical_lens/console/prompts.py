"""`ethical-lens prompts`: text scrutiny in bulk, a CSV file in and another out."""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from ethical_lens.console.inputs import InputError, add_policy, read_policy, whole_number
from ethical_lens.results import TextVerdict
from ethical_lens.text.bulk import NoVerdict, scrutinise_many

COLUMNS: Final = (
    "label",
    "score",
    "factors",
    "explanation",
    "rewrite",
    "figures",
    "clusters",
    "error",
)
"""What is added to each row."""
REVIEW: Final = "review"
"""The label of a prompt that no aligner can judge: a person must. It is never K0."""


@dataclass(frozen=True)
class Row:
    """A row of the file: all its fields, the prompt among them, or why there is none."""

    fields: list[str]
    prompt: str = ""
    error: str = ""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The options of `prompts`."""
    parser = commands.add_parser("prompts", help="judge and reword the prompts of a CSV file")
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8, with a header")
    parser.add_argument("--column", default="prompt", help="of the prompts (default: prompt)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--delimiter", default=",", help=r"one character, or \t (default: ,)")
    parser.add_argument("--prefix", default="", help="before the names of the added columns")
    parser.add_argument(
        "--aligner",
        action="append",
        metavar="NAME",
        help="instead of the policy's; several are tried in their order",
    )
    parser.add_argument(
        "--processes", type=whole_number(1, 1024), help="default: one for each core"
    )
    add_policy(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write a row for each row, in its order; 0, also where rows have errors."""
    file, out = arguments.file, arguments.out
    policy = read_policy(arguments.policy)
    if arguments.aligner:
        policy = policy.model_copy(update={"aligners": tuple(arguments.aligner)})
    delimiter = arguments.delimiter.replace("\\t", "\t")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(f"--delimiter {arguments.delimiter!r}: give one character, or \\t")
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    if out.exists() and out.samefile(file):
        raise InputError(f"--out {out}: is the file that is read; name another")
    added = [arguments.prefix + column for column in COLUMNS]
    header, rows = read_rows(file, arguments.column, delimiter)
    if taken := sorted(set(added) & set(header)):
        raise InputError(
            f"{file}: has columns {', '.join(taken)} already; add --prefix lens_ or the like"
        )
    total = sum(1 for _ in rows)
    _, rows = read_rows(file, arguments.column, delimiter)
    rows, judged = tee(rows)
    verdicts = scrutinise_many((row.prompt for row in judged), policy, arguments.processes)
    labels = Counter[str]()
    # surrogateescape writes bytes that are no UTF-8 as they were read.
    with (
        out.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
        tqdm(total=total, unit=" prompts", desc=file.name) as progress,
    ):
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        writer.writerow([*header, *added])
        for row, verdict in zip(rows, verdicts, strict=True):
            cells = described(NoVerdict(row.error, review=False) if row.error else verdict)
            labels[cells["label"] or "error"] += 1
            padded = [*row.fields, *[""] * len(header)][: len(header)]
            writer.writerow([*padded, *(cells[column] for column in COLUMNS)])
            progress.update()
    counts = ", ".join(f"{count} {label}" for label, count in sorted(labels.items()))
    print(f"{out}: {total} prompts{': ' if counts else ''}{counts}", file=sys.stderr)
    return 0


def read_rows(file: Path, column: str, delimiter: str) -> tuple[list[str], Iterator[Row]]:
    """The header of a CSV file, and its rows; blank lines are none.

    Raises `InputError` where the file has no header or the header no `column`.
    """
    fields = _read_fields(file, delimiter)
    header = next(fields, None)
    if not header or isinstance(header, csv.Error):
        raise InputError(f"{file}: has no header ({header or 'it is empty'})")
    if column not in header:
        raise InputError(f"{file}: no column {column!r}; there are: {', '.join(header)}")
    return header, (_row(found, header, column) for found in fields if found != [])


def described(verdict: TextVerdict | NoVerdict) -> dict[str, Any]:
    """The cells of `COLUMNS`."""
    cells = dict.fromkeys(COLUMNS, "")
    if isinstance(verdict, TextVerdict):
        clusters = [cluster.model_dump() for cluster in verdict.clusters]
        return cells | {
            "label": " ".join(sorted(verdict.labels, reverse=True)),
            "score": f"{verdict.score:g}",
            "factors": " ".join(sorted(verdict.factors)),
            "explanation": verdict.explanation,
            "rewrite": verdict.prompt if verdict.rewritten else "",
            "figures": "; ".join(verdict.figures),
            "clusters": json.dumps(clusters, default=sorted),
        }
    if verdict.review:
        return cells | {"label": REVIEW, "explanation": verdict.reason}
    return cells | {"error": verdict.reason}


def _read_fields(file: Path, delimiter: str) -> Iterator[list[str] | csv.Error]:
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        while True:
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield csv.Error(f"line {reader.line_num} is no CSV: {error}")


def _row(found: list[str] | csv.Error, header: list[str], column: str) -> Row:
    if isinstance(found, csv.Error):
        return Row([], error=str(found))
    if len(found) != len(header):
        return Row(found, error=f"the row has {len(found)} fields, the header {len(header)}")
    prompt = found[header.index(column)]
    if any("\ud800" <= character <= "\udfff" for character in prompt):
        return Row(found, error="the prompt is not UTF-8")
    return Row(found, prompt)
