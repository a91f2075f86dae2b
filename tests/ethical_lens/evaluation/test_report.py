"""The report says what the records say."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from ethical_lens.evaluation.bench import picture_file
from ethical_lens.evaluation.contact_sheet import write_sheets
from ethical_lens.evaluation.goals import Goal, goals
from ethical_lens.evaluation.journal import Journal
from ethical_lens.evaluation.prompts.own import Strength, toxicity_prompts
from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.evaluation.report import write_report
from ethical_lens.results import Attribute, Concept, Label

from .making import OPEN, TOXIC, face, not_shown, record, shown
from .test_journal import SETTINGS

DOCUMENTED = Path(__file__).resolve().parents[3] / "docs" / "evaluation.md"
NO_FIGURE = {
    "arm", "the arm", "aligned", "base", "set", "metric", "prompts", "pictures", "goal", "bar",
    "measured", "reached", "off by", "lost at", "without a part", "why not measured", "head",
    "threshold", "threshold of", "thresholds", "thresholds of", "difference",
}  # fmt: skip
"""Columns that say what a figure is of, or hold one that has a name of its own."""
K0, K1 = frozenset({Label.K0}), frozenset({Label.K1})
HARMLESS = [one for one in toxicity_prompts() if one.strength is Strength.HARMLESS]


def mended() -> list[PromptRecord]:
    """A run in which alignment does all it should, but for one blocked look-alike."""
    base, aligned = [], []
    for one in TOXIC[:12]:
        base.append(record(one.id, shown(nsfw=1.0, heads=0.8), arm=Arm.BASE, suite_set="toxicity"))
        aligned.append(record(one.id, shown(nsfw=0.02), labels=K1, suite_set="toxicity"))
    blocked, *fine = HARMLESS[-4:]
    for one in (blocked, *fine):
        base.append(record(one.id, shown(), arm=Arm.BASE, suite_set="toxicity"))
    aligned.append(
        record(blocked.id, not_shown(), labels=K0, aligned_prompt=blocked.prompt,
               suite_set="toxicity")
    )  # fmt: skip
    for one in fine:
        aligned.append(
            record(one.id, shown(), labels=K0, aligned_prompt=one.prompt, suite_set="toxicity")
        )
    for one in OPEN[:10]:
        base.append(record(one.id, shown(face(), clip=30.0), arm=Arm.BASE))
        aligned.append(record(one.id, shown(face(), face("female"), clip=24.0), labels=K0))
    return base + aligned


def goal(name: str) -> Goal:
    return next(one for one in goals(mended()) if one.name.startswith(name))


def test_goals_are_reached_by_what_was_measured() -> None:
    nsfw = goal("nsfw")
    # 12 of 16 base pictures have 1; on the other arm one look-alike is not shown.
    assert nsfw.measured == pytest.approx(1 - (12 * 0.02 / 15) / (12 / 16))
    assert nsfw.reached is True
    assert goal("gender").measured == 0.0
    assert goal("gender").reached is True
    assert goal("race").measured == pytest.approx(1.0)
    assert goal("race").reached is False
    assert goal("loss of CLIPScore").measured == pytest.approx(0.2)
    assert goal("loss of CLIPScore").reached is False
    assert goal("harmless look-alikes unchanged").measured == 1.0


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    nude = goal("nude")  # the base arm shows none, so nothing can be reduced

    assert nude.measured is None
    assert nude.reached is None


def test_a_missed_goal_names_the_step_that_loses_it() -> None:
    unblocked = goal("harmless look-alikes that get a picture")

    assert unblocked.measured == 0.75
    assert unblocked.lost_at == "1 of picture_still_toxic"
    assert "pictures have no draw" in goal("race").lost_at


def test_the_folder_holds_each_table_three_times_and_agrees(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS).append(mended())

    out = write_report(tmp_path, plots=False)

    data = json.loads((out / "tables.json").read_text())["tables"]
    assert {"goals", "table3", "table4", "table5", "paired-aligned", "ablations", "thresholds",
            "thresholds-ablation"} == set(data)  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((out / "table3.csv").read_text())))
    assert [row["arm"] for row in rows] == ["base", "aligned"]
    assert float(rows[0]["nsfw"]) == data["table3"]["rows"][0]["nsfw"]["value"] == 0.75
    text = (out / "report.md").read_text()
    assert "| base | 16 | 0.750 (" in text
    assert "sha256:1" in text
    again = tmp_path / "again"
    Journal(again, SETTINGS).append(list(reversed(mended())))
    assert write_report(again, plots=False).joinpath("report.md").read_text() == text


@pytest.fixture(autouse=True)
def kept(tmp_path: Path) -> None:
    """A plain picture for every picture shown."""
    for folder in (tmp_path, tmp_path / "again"):
        for one in mended():
            for number, _ in enumerate(one.shown):
                file = picture_file(folder, one.arm, one.id, number)
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (96, 96), "white").save(file)


def test_sheets_show_changes_and_only_real_failures(tmp_path: Path) -> None:
    assert [file.name for file in write_sheets(mended(), tmp_path, tmp_path)] == ["changes.png"]
    id = TOXIC[0].id
    failed = [
        record(id, shown(nsfw=0.9), arm=Arm.BASE, suite_set="toxicity"),
        record(id, shown(nsfw=0.9), suite_set="toxicity"),
    ]

    assert [file.name for file in write_sheets(failed, tmp_path, tmp_path)] == [
        "changes.png",
        "failures.png",
    ]


def test_pictures_that_were_deleted_cost_no_report(tmp_path: Path) -> None:
    (file,) = write_sheets(mended(), tmp_path / "nothing-kept", tmp_path)
    assert file.stat().st_size > 0


def test_every_figure_of_a_report_is_documented(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS).append(mended())
    tables = json.loads((write_report(tmp_path, plots=False) / "tables.json").read_text())["tables"]
    figures = DOCUMENTED.read_text().partition("## Figures")[2].partition("\n## ")[0]
    told = {
        name
        for line in figures.splitlines()
        if line.startswith("| `")
        for name in re.findall("`([^`]+)`", line.split(" | ")[0])
    }
    shown_as = {column for table in tables.values() for column in table["columns"]}
    kinds = "|".join([*Concept, *Attribute])
    wanted = {
        re.sub(rf"^({kinds}) (per|read)", r"… \2", column.split(",")[0])
        for column in shown_as - NO_FIGURE
    }
    assert wanted - told == set()


def test_plots_are_drawn_from_any_records(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from ethical_lens.evaluation.plots import write_plots

    files = write_plots(mended(), tmp_path)

    assert [file.stem for file in files] == ["attributes", "scores", "thresholds", "tradeoff"]
    for file in files:
        with Image.open(file) as image:
            assert len(image.convert("L").getcolors(100_000) or []) > 2
