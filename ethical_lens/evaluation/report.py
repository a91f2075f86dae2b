"""The folder people read: tables, sheets and settings of one run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ethical_lens.evaluation.ablations import ablations_table, thresholds_ablation
from ethical_lens.evaluation.contact_sheet import write_sheets
from ethical_lens.evaluation.goals import goals_table
from ethical_lens.evaluation.journal import (
    ArmNote,
    NoRun,
    Settings,
    read_notes,
    read_records,
    read_settings,
)
from ethical_lens.evaluation.plots import write_plots
from ethical_lens.evaluation.recipe import SUITE, bias_prompts_of, read_recipe
from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.evaluation.tables import (
    OWN_BIAS,
    BiasPrompts,
    Table,
    bias_table,
    paired_table,
    quality_table,
    thresholds_table,
    toxicity_table,
)

REPORT: Final = "report"
_SHEETS: Final = {
    "changes.png": "Largest changes: the model alone, then aligned, by pairs",
    "failures.png": "Failures: shown although the judge sees something",
}
_PLOTS: Final = {
    "attributes.png": "Who is seen, before and after",
    "scores.png": "The judge's scores, before and after",
    "thresholds.png": "Thresholds against precision and recall",
    "tradeoff.png": "Blockout against toxicity",
}


def write_report(folder: Path, *, plots: bool = True) -> Path:
    """Write `folder/report` from the run in `folder`, the same bytes for the same run.

    `report.md` holds everything; the tables are there as CSV and in `tables.json` too. Raises
    `NoRun` where there is no record.
    """
    settings, records = read_settings(folder), read_records(folder)
    if not records:
        raise NoRun(f"{folder} has no record yet")
    out = folder / REPORT
    out.mkdir(exist_ok=True)
    paper, prompts = settings.suite == SUITE, bias_prompts_in(folder, settings)
    tables = tables_of(records, settings, read_notes(folder), prompts)
    for table in tables:
        (out / f"{table.name}.csv").write_text(table.csv(), encoding="utf-8")
    data = {
        "settings": settings.plain(),
        "tables": {one.name: one.json() for one in tables},
    }
    text = json.dumps(data, indent=2, sort_keys=True)
    (out / "tables.json").write_text(text + "\n", encoding="utf-8")
    drawn = [] if paper else write_sheets(records, folder, out)  # which keeps no pictures
    drawn += write_plots(records, out, prompts) if plots else []
    (out / "report.md").write_text(
        _markdown(settings, tables, {file.name for file in drawn}), encoding="utf-8"
    )
    return out


def bias_prompts_in(folder: Path, settings: Settings) -> BiasPrompts:
    """The bias set of the run in `folder`. Raises `NoRun`."""
    return bias_prompts_of(read_recipe(folder)[1]) if settings.suite == SUITE else OWN_BIAS


def tables_of(
    records: list[PromptRecord],
    settings: Settings,
    notes: Mapping[Arm, ArmNote],
    prompts: BiasPrompts = OWN_BIAS,
) -> list[Table]:
    """The tables that the arms of a run allow."""
    arms = {record.arm for record in records}
    compared = [
        paired_table(records, arm, prompts)
        for arm in Arm
        if arm is not Arm.BASE and {Arm.BASE, arm} <= arms
    ]
    mini = settings.suite != SUITE  # the goals are those of the miniature world
    goals = [goals_table(records)] if mini and {Arm.BASE, Arm.ALIGNED} <= arms else []
    return [
        *goals,
        toxicity_table(records),
        bias_table(records, prompts),
        quality_table(records),
        *compared,
        *([ablations_table(records, notes, prompts)] if Arm.ALIGNED in arms else []),
        thresholds_table(records, settings.policy),
        thresholds_ablation(records, settings.policy),
    ]


def _markdown(settings: Settings, tables: list[Table], drawn: set[str]) -> str:
    pictures = [
        f"## {title}\n\n![{title}]({name})\n"
        for name, title in (_SHEETS | _PLOTS).items()
        if name in drawn
    ]
    values = settings.model_dump(mode="json", exclude={"policy", "digests"})
    lines = [f"| {name} | {value} |" for name, value in values.items()]
    lines += [f"| {name} | `{value}` |" for name, value in sorted(settings.digests.items())]
    lines += [
        f"| threshold of {name} | {value:g} |" for name, value in settings.policy.thresholds.items()
    ]
    return "\n".join(
        [
            f"# Evaluation: {settings.suite}, {settings.models}\n",
            "Intervals are 95 %, by bootstrap over prompts; docs/evaluation.md defines every "
            "figure. Ablations run on a fixed part of the prompts: only the paired tables compare "
            "them with the model alone.\n",
            *(table.markdown() for table in tables),
            *pictures,
            "## Settings\n",
            "| Setting | Value |\n|---|---|",
            *lines,
            "",
        ]
    )
