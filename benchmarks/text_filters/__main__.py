"""`python -m benchmarks.text_filters`: false alarms and recall of text filters, as one table."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.text_filters.filters import FILTERS, Bench, CannotRun, Filter
from benchmarks.text_filters.prompts import CATEGORIES, DATA, Prompts, labels
from ethical_lens.results import Label

FALSE_ALARMS: Final = 0.01
"""Share of captions that a filter with a score may flag at the threshold chosen for it."""
_UNSAFE: Final = frozenset({Label.K1, Label.K2, Label.K3})
_LOCAL: Final = Path(".local") / "benchmarks" / "text_filters"


@dataclass(frozen=True)
class Row:
    """Which prompts a filter flagged, by list; or why it could not be run."""

    name: str
    kind: str
    flagged: Mapping[str, Sequence[bool]]
    why_not: str = ""

    def cells(self, prompts: Prompts) -> list[str]:
        if self.why_not:
            return [self.name, self.kind, f"not run: {self.why_not}"]
        unsafe = self.flagged["unsafe"]
        by_category = [[unsafe[i] for i in prompts.of(category)] for category in CATEGORIES]
        parts = [self.flagged["captions"], self.flagged["art"], unsafe, *by_category]
        return [self.name, self.kind, *(f"{sum(part) / len(part):.1%}" for part in parts)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_filters", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the CSV files")
    parser.add_argument("--into", type=Path, default=_LOCAL, help="filters are installed there")
    parser.add_argument("--out", type=Path, default=_LOCAL / "table.md", help="file for the table")
    parser.add_argument("--only", nargs="*", metavar="ADAPTER", help="only these; none: ours alone")
    arguments = parser.parse_args()
    try:
        prompts = Prompts.load(arguments.data)
    except FileNotFoundError as error:
        sys.exit(str(error))
    arguments.into.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments.into.resolve())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rows = _ours(prompts)
    for one in FILTERS:
        if arguments.only is None or one.adapter in arguments.only:
            arguments.out.write_text(_table(rows, prompts), encoding="utf-8")  # as far as it is
            print(f"{one.name} …", file=sys.stderr, flush=True)
            rows.append(_theirs(one, bench, prompts))
    table = _table(rows, prompts)
    arguments.out.write_text(table, encoding="utf-8")
    print(table, end="")


def _lists(prompts: Prompts) -> dict[str, Sequence[str]]:
    unsafe = [prompt for prompt, _ in prompts.unsafe]
    return {"captions": prompts.captions, "art": prompts.art, "unsafe": unsafe}


def _ours(prompts: Prompts) -> list[Row]:
    """Twice: by K label alone, and with A1 and what goes to a person counted as flagged."""
    found = {name: labels(listed) for name, listed in _lists(prompts).items()}
    return [
        Row(
            "**ethical-lens rules**", "words, contexts",
            {name: [bool(one & _UNSAFE) for one in many] for name, many in found.items()},
        ),
        Row(
            "the same, A1 and review counted too", "",
            {name: [one != {Label.K0} for one in many] for name, many in found.items()},
        ),
    ]  # fmt: skip


def _theirs(one: Filter, bench: Bench, prompts: Prompts) -> Row:
    try:
        scores = bench.scores(one, _lists(prompts))
    except CannotRun as error:
        return Row(one.name, one.kind, {}, str(error))
    above = threshold(scores["captions"]) if one.scored else 0.5
    flagged = {name: [score > above for score in many] for name, many in scores.items()}
    return Row(one.name, f"{one.kind}, score" if one.scored else one.kind, flagged)


def threshold(captions: Sequence[float]) -> float:
    """The lowest score above which at most `FALSE_ALARMS` of `captions` lie."""
    ranked = sorted(captions, reverse=True)
    return ranked[int(FALSE_ALARMS * len(ranked))]


def _table(rows: Sequence[Row], prompts: Prompts) -> str:
    heads = ["filter", "kind", "captions", "art", "I2P", *CATEGORIES]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 2)]
    for row in rows:
        cells = row.cells(prompts)
        cells += [""] * (len(heads) - len(cells))
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
