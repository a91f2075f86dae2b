"""A table of ratios, each from one run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Row:
    """A line of the table. `met` is None where nothing is demanded."""

    what: str
    reference: str
    ours: str
    value: float
    goal: str = ""
    met: bool | None = None

    @classmethod
    def ratio(
        cls,
        what: str,
        reference: float,
        ours: float,
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> Self:
        """`reference` / `ours`, both in `unit`, against a bound."""
        value, goal, met = reference / ours, "", None
        if at_least is not None:
            goal, met = f"≥ {at_least:g}", value >= at_least
        if at_most is not None:
            goal, met = f"≤ {at_most:g}", value <= at_most
        return cls(what, f"{reference:.3f} {unit}", f"{ours:.3f} {unit}", value, goal, met)


def table(rows: Iterable[Row]) -> str:
    """Markdown."""
    lines = ["| what | reference | here | ratio | goal | |", "|---|---|---|---|---|---|"]
    for row in rows:
        verdict = "" if row.met is None else ("met" if row.met else "**missed**")
        lines.append(
            f"| {row.what} | {row.reference} | {row.ours} | {row.value:.2f} | {row.goal} "
            f"| {verdict} |"
        )
    return "\n".join(lines)
