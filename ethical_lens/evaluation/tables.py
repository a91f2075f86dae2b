"""The tables of a report, in the shape of the paper's tables 3 to 5, and the ways to write them."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ethical_lens.evaluation import metrics
from ethical_lens.evaluation.metrics import Metric
from ethical_lens.evaluation.prompts.own import (
    BIAS,
    QUALITY,
    TOXICITY,
    BiasPrompt,
    Strength,
    bias_prompts,
    toxicity_prompts,
)
from ethical_lens.evaluation.records import (
    AESTHETIC,
    CLIP_NSFW,
    NUDITY,
    Arm,
    JudgeFailure,
    PromptRecord,
)
from ethical_lens.evaluation.statistics import Figure, holm, measured, paired
from ethical_lens.evaluation.thresholds import Reached, at, best, scored
from ethical_lens.policy import DEFAULT_CONCEPTS, Policy
from ethical_lens.results import Attribute, Concept

Cell = str | int | float | None | Figure

_NOT_MEASURED: Final = "not measured"
BiasPrompts = Mapping[str, BiasPrompt]
OWN_BIAS: Final[BiasPrompts] = {one.id: one for one in bias_prompts()}
"""The miniature bias set by id."""
_HARMLESS: Final = {
    one.id: one.prompt for one in toxicity_prompts() if one.strength is Strength.HARMLESS
}


@dataclass(frozen=True)
class Table:
    """Rows of cells under `columns`. `note` is a sentence for readers."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        """As a table of Markdown; a figure stands before its interval."""
        lines = [
            f"## {self.title}\n",
            f"| {' | '.join(self.columns)} |",
            "|---" * len(self.columns) + "|",
            *(f"| {' | '.join(map(_said, row))} |" for row in self.rows),
        ]
        if self.note:
            lines += ["", self.note]
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """As CSV; a figure takes three columns, and what was not measured is empty."""
        wide = [
            any(isinstance(row[i], Figure) for row in self.rows) for i in range(len(self.columns))
        ]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            name
            for column, figure in zip(self.columns, wide, strict=True)
            for name in ([column, f"{column} low", f"{column} high"] if figure else [column])
        )
        for row in self.rows:
            writer.writerow(
                value
                for cell, figure in zip(row, wide, strict=True)
                for value in (_three(cell) if figure else [cell])
            )
        return out.getvalue()

    def json(self) -> dict[str, Any]:
        """As plain values; a figure is an object with `value`, `low` and `high`."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [
                {
                    column: vars(cell) if isinstance(cell, Figure) else cell
                    for column, cell in zip(self.columns, row, strict=True)
                }
                for row in self.rows
            ],
            "note": self.note,
        }


def toxicity_table(records: Sequence[PromptRecord]) -> Table:
    """Table 3: what the judge sees in pictures of the toxicity set, by arm. Lower is better."""
    columns = [metrics.toxicity(concept) for concept in Concept]
    columns += [metrics.instrument(CLIP_NSFW), metrics.instrument(NUDITY)]
    columns += [metrics.exposure(concept) for concept in Concept]
    return _by_arm(
        "table3",
        "Table 3: toxicity set (lower is better)",
        [(metric, of(records, TOXICITY)) for metric in columns],
        "The judge's mean confidence over the pictures shown; per request, one without a picture "
        "counts 0.",
    )


def bias_table(records: Sequence[PromptRecord], prompts: BiasPrompts = OWN_BIAS) -> Table:
    """Table 4: imbalance of gender, group and life stage in the bias set. Lower is better."""
    some = of(records, BIAS)
    columns = [metrics.imbalance(attribute, prompts) for attribute in Attribute]
    columns += [metrics.imbalance_of_plausible(prompts)]
    columns += [metrics.imbalance_per_prompt(attribute, prompts) for attribute in Attribute]
    if any(one.read_faces is not None for record in some for one in record.shown):
        columns += [metrics.imbalance(attribute, prompts, read=True) for attribute in Attribute]
    columns += [metrics.measured_faces()]
    return _by_arm(
        "table4",
        "Table 4: bias set (lower is better, but for faces found)",
        [(metric, some) for metric in columns],
        "Pictures without a face are not measured; their share is what is missing to 1 in the last "
        "column. Read: by the model set's face reader instead of the judge.",
    )


def quality_table(records: Sequence[PromptRecord]) -> Table:
    """Table 5: what alignment costs: fit to the original prompt, and pictures not shown."""
    columns = [
        (_named(metric, f"{metric.name}, {suite_set}"), of(records, suite_set))
        for suite_set in (TOXICITY, BIAS, *((QUALITY,) if of(records, QUALITY) else ()))
        for metric in (
            metrics.clip_score(),
            metrics.instrument(AESTHETIC, higher_is_better=True),
            metrics.blockout(),
            metrics.review(),
        )
    ]
    if harmless := [record for record in records if record.id in _HARMLESS]:
        columns += [(metrics.blockout("blockout, look-alikes"), harmless)]
    table = _by_arm(
        "table5",
        "Table 5: what it costs (CLIPScore and aesthetic: higher is better)",
        columns,
        "Blockout holds what waits for a person, given apart as review.",
    )
    failed = [
        tuple(
            sum(
                one.judge_failure is failure
                for record in _on(records, arm)
                for one in record.pictures
            )
            for failure in JudgeFailure
        )
        for arm in _arms(records)
    ]
    withheld = [sum(record.withheld for record in _on(records, arm)) for arm in _arms(records)]
    return Table(
        table.name,
        table.title,
        (*table.columns, *(f"judge: {failure.value}" for failure in JudgeFailure), "withheld"),
        tuple(
            (*row, *some, others)
            for row, some, others in zip(table.rows, failed, withheld, strict=True)
        ),
        table.note,
    )


def paired_table(
    records: Sequence[PromptRecord], arm: Arm, prompts: BiasPrompts = OWN_BIAS
) -> Table:
    """Base against `arm`, paired by prompt, with p-values as they are and corrected (Holm)."""
    base, other = _on(records, Arm.BASE), _on(records, arm)
    compared = [
        (suite_set, metric.name, paired(metric, of(base, suite_set), of(other, suite_set)))
        for suite_set, metric in headline(prompts)
    ]
    corrected = iter(holm([one.p for *_, one in compared if one.p is not None]))
    return Table(
        f"paired-{arm.value}",
        f"Base against {arm.value}, the same prompts and seeds",
        ("set", "metric", "prompts", "base", arm.value, "difference", "reduction", "p", "p (Holm)"),
        tuple(
            (
                suite_set, name, one.prompts, one.first, one.second, one.difference,
                one.reduction, one.p, None if one.p is None else next(corrected),
            )
            for suite_set, name, one in compared
        ),
        "Approximate randomisation over prompts that both arms have; two-sided.",
    )  # fmt: skip


def thresholds_table(records: Sequence[PromptRecord], policy: Policy) -> Table:
    """Each head at the reference's threshold, the policy's, and the one with the highest F1."""
    rows: list[tuple[Cell, ...]] = []
    for concept in Concept:
        pictures = scored(records, concept)
        for name, reached in (
            ("reference", at(pictures, DEFAULT_CONCEPTS[concept].threshold)),
            ("policy", at(pictures, policy.concepts[concept].threshold)),
            ("highest F1", best(pictures)),
        ):
            rows.append((concept.value, name, *_threshold_cells(reached)))
    return Table(
        "thresholds",
        "Heads against the judge, on pictures of the model alone",
        ("head", "threshold of", "threshold", "precision", "recall", "F1"),
        tuple(rows),
        "The threshold of the highest F1 was chosen on these pictures; on others it does worse.",
    )


def headline(prompts: BiasPrompts = OWN_BIAS) -> list[tuple[str, Metric]]:
    """The figures that runs and arms are compared by, each with its set."""
    return [
        *((TOXICITY, metrics.toxicity(concept)) for concept in Concept),
        (TOXICITY, metrics.blockout()),
        *((BIAS, metrics.imbalance(attribute, prompts)) for attribute in Attribute),
        (BIAS, metrics.clip_score()),
        (BIAS, metrics.blockout()),
    ]


def of(records: Sequence[PromptRecord], suite_set: str) -> list[PromptRecord]:
    """The records of one set."""
    return [record for record in records if record.suite_set == suite_set]


def _by_arm(
    name: str,
    title: str,
    columns: Sequence[tuple[Metric, Sequence[PromptRecord]]],
    note: str,
) -> Table:
    arms = _arms([record for _, some in columns for record in some])
    return Table(
        name,
        title,
        ("arm", "prompts", *(metric.name for metric, _ in columns)),
        tuple(
            (
                arm.value,
                len({(one.suite_set, one.id) for _, some in columns for one in _on(some, arm)}),
                *(measured(metric, _on(some, arm)) for metric, some in columns),
            )
            for arm in arms
        ),
        note,
    )


def _arms(records: Sequence[PromptRecord]) -> list[Arm]:
    there = {record.arm for record in records}
    return [arm for arm in Arm if arm in there]


def _on(records: Sequence[PromptRecord], arm: Arm) -> list[PromptRecord]:
    return [record for record in records if record.arm is arm]


def _named(metric: Metric, name: str) -> Metric:
    return Metric(name, metric.of, metric.finish, metric.higher_is_better)


def _threshold_cells(reached: Reached | None) -> tuple[Cell, ...]:
    if reached is None:
        return None, None, None, None
    return reached.threshold, reached.precision, reached.recall, reached.f1


def _said(cell: Cell) -> str:
    if isinstance(cell, Figure):
        if cell.value is None:
            return _NOT_MEASURED
        return f"{cell.value:.3f} ({cell.low:.3f} to {cell.high:.3f})"
    if cell is None:
        return _NOT_MEASURED
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _three(cell: Cell) -> tuple[Cell, ...]:
    return (cell.value, cell.low, cell.high) if isinstance(cell, Figure) else (cell, None, None)
