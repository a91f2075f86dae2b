"""A worker goes on with a run piece by piece: with the one that is there, not one it remembers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from ethical_lens.evaluation.journal import NoRun, read_records, read_settings
from ethical_lens.evaluation.recipe import Recipe, SetSource, prepare
from ethical_lens.evaluation.records import Arm
from ethical_lens.policy import Policy
from moderation.evaluations import ReportMissing
from workers.evaluate import _run, evaluation_continue

pytestmark = [pytest.mark.services, pytest.mark.models]

NAME = "a-run"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "evaluations"
    folder.mkdir()
    known = settings.ENVIRONMENT.model_copy(update={"evaluations_folder": folder})
    monkeypatch.setattr(settings, "ENVIRONMENT", known)
    yield folder
    _run.cache_clear()


def prepared(folder: Path, seed: int) -> Path:
    """Two pieces of one miniature picture each."""
    prompts = folder / "prompts.txt"
    prompts.write_text("a doctor in the hospital\na nurse in the park\n")
    recipe = Recipe(
        models="mini",
        policy=Policy(),
        arms=(Arm.BASE,),
        sets={"bias": SetSource(kind="list", path=str(prompts))},
        shard=1,
        seed=seed,
    )
    prepare(recipe, folder / NAME)
    return folder / NAME


def test_a_message_is_a_piece_and_the_last_one_writes_the_report(folder: Path) -> None:
    run = prepared(folder, seed=7)

    for pieces in (1, 2):
        assert evaluation_continue(NAME)
        assert len(read_records(run)) == pieces
        assert not (run / "report").exists()
    assert not evaluation_continue(NAME)

    assert (run / "report" / "report.md").exists()
    assert [one.pictures[0].seed for one in read_records(run)] == [7, 8]


def test_a_run_prepared_anew_under_its_name_is_another(folder: Path) -> None:
    run = prepared(folder, seed=7)
    assert evaluation_continue(NAME)

    shutil.rmtree(run)
    prepared(folder, seed=70)
    assert evaluation_continue(NAME)
    assert [one.pictures[0].seed for one in read_records(run)] == [70]
    assert read_settings(run).seed == 70

    shutil.rmtree(run)
    prepared(folder, seed=70)  # the same again: its settings were deleted with it
    assert evaluation_continue(NAME)
    assert read_settings(run).seed == 70


def test_what_is_no_run_is_told(folder: Path) -> None:
    with pytest.raises(ReportMissing, match="no run named 'nowhere'"):
        evaluation_continue("nowhere")
    (folder / "empty").mkdir()
    with pytest.raises(NoRun, match="holds no prepared run"):
        evaluation_continue("empty")
