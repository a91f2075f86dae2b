"""What is on disk after a kill is what was known, and belongs to the same settings."""

from pathlib import Path

import pytest

from ethical_lens.evaluation.journal import (
    RECORDS,
    Journal,
    NoRun,
    Settings,
    SettingsDiffer,
    read_records,
    read_settings,
)
from ethical_lens.evaluation.records import Arm
from ethical_lens.policy import Policy

from .making import OPEN, record, shown

SETTINGS = Settings(
    suite="mini", models="here", pipeline="p", share=1.0, ablation_share=0.25,
    per_toxicity_prompt=1, per_bias_prompt=4, seed=1, batch=16, policy=Policy(),
    digests={"clip": "sha256:1"},
)  # fmt: skip
ONE, TWO = record(OPEN[0].id, shown()), record(OPEN[1].id, shown())


def test_what_was_appended_is_there_and_not_appended_twice(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS).append([TWO])
    again = Journal(tmp_path, SETTINGS)
    again.append([ONE, TWO])

    assert again.has(Arm.ALIGNED, "bias", TWO.id)
    assert not again.has(Arm.BASE, "bias", TWO.id)
    assert read_records(tmp_path) == [ONE, TWO]
    assert len((tmp_path / RECORDS).read_text().splitlines()) == 2


def test_half_a_line_at_the_end_is_dropped(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS).append([ONE, TWO])
    file = tmp_path / RECORDS
    file.write_bytes(file.read_bytes()[:-20])

    assert read_records(tmp_path) == [ONE]
    journal = Journal(tmp_path, SETTINGS)
    assert not journal.has(Arm.ALIGNED, "bias", TWO.id)
    journal.append([TWO])
    assert read_records(tmp_path) == [ONE, TWO]


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS).append([ONE])
    file = tmp_path / RECORDS
    file.write_text("{}\n" + file.read_text())

    with pytest.raises(NoRun, match="line 1"):
        read_records(tmp_path)


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS)
    other = SETTINGS.model_copy(update={"seed": 2, "digests": {"clip": "sha256:2"}})

    with pytest.raises(SettingsDiffer, match=r"digest of clip .*seed \(1, now 2\)"):
        Journal(tmp_path, other)
    Journal(tmp_path, SETTINGS.model_copy(update={"models": "the same elsewhere"}))
    assert read_settings(tmp_path) == SETTINGS


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRun):
        read_settings(tmp_path)
    assert read_records(tmp_path) == []
