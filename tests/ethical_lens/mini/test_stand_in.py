"""Building the folder of stand-in models."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ethical_lens.mini import stand_in
from ethical_lens.sources import ModelSources, digest_of


def test_two_builds_are_the_same_and_draw_nothing(stand_in_file: Path, tmp_path: Path) -> None:
    before = torch.get_rng_state()

    again = stand_in.build(tmp_path / "again")

    assert torch.equal(torch.get_rng_state(), before)
    assert digest_of(str(again.parent)) == digest_of(str(stand_in_file.parent))
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_the_file_of_sources_names_every_part(stand_in_file: Path) -> None:
    sources = ModelSources.read(stand_in_file)

    assert list(sources.pipelines) == [stand_in.PIPELINE]
    assert Path(sources.pipeline(stand_in.PIPELINE)).is_dir()
    assert Path(sources.regions).is_dir()
    # Paths in the file are relative: the folder can be moved.
    assert str(stand_in_file.parent) not in stand_in_file.read_text()


def test_a_folder_that_is_there_is_left_alone(stand_in_file: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in stand_in_file.parent.rglob("*")}

    assert stand_in.build(stand_in_file.parent) == stand_in_file

    assert {p: p.stat().st_mtime_ns for p in stand_in_file.parent.rglob("*")} == before


def test_a_folder_of_another_version_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_quickly(monkeypatch)
    folder = tmp_path / "models"
    stand_in.build(folder)
    (folder / "left-over").touch()
    marker = folder / stand_in.MARKER_FILE
    marker.write_text(json.dumps({"builder": 0}))

    stand_in.build(folder)

    assert json.loads(marker.read_text())["builder"] == stand_in.BUILDER_VERSION
    assert not (folder / "left-over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(stand_in.StandInError, match="holds something else"):
        stand_in.build(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, *_: object) -> None:
        (folder / "half").touch()
        raise OSError("disk full")

    monkeypatch.setattr("ethical_lens.mini.write_models.write_all", fail)

    with pytest.raises(OSError, match="disk full"):
        stand_in.build(tmp_path / "models")

    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_takes_what_the_first_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    write_quickly(monkeypatch)

    def slowly(*_: object) -> None:
        write_quickly(monkeypatch)
        stand_in.build(folder)
        (folder / "of the first").touch()

    monkeypatch.setattr("ethical_lens.mini.write_models.write_all", slowly)

    assert stand_in.build(folder) == folder / stand_in.SOURCES_FILE
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def write_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no models: these tests are about the folder."""
    monkeypatch.setattr(
        "ethical_lens.mini.write_models.write_all",
        lambda folder, name, sources_file: sources_file.write_text("{}"),
    )


def test_the_console_says_that_verdicts_mean_nothing(stand_in_file: Path) -> None:
    command = [sys.executable, "-m", "ethical_lens.mini", "build", str(stand_in_file.parent)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert str(stand_in_file) in done.stdout
    assert "verdicts mean nothing" in done.stdout


def test_the_console_reports_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    command = [sys.executable, "-m", "ethical_lens.mini", "build", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert "Traceback" not in done.stderr
