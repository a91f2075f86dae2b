"""How text filters are measured; the filters themselves are installed by the benchmark alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.text_filters import adapters
from benchmarks.text_filters.__main__ import threshold
from benchmarks.text_filters.filters import FILTERS, Bench, CannotRun, Filter
from benchmarks.text_filters.prompts import REVIEW, Prompts, labels
from ethical_lens.results import Label

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "scores",
    [
        [i / 1000 for i in range(1000)],
        [0.0] * 1000,
        [1.0] * 1000,
        [0.0] * 985 + [0.5] * 10 + [0.9] * 5,
        [0.0] * 989 + [0.5] * 11,
    ],
)
def test_at_most_one_caption_in_a_hundred_lies_above_the_threshold(scores: list[float]) -> None:
    above = threshold(scores)
    assert sum(score > above for score in scores) <= 10
    lower = [score for score in scores if score < above]
    assert not lower or sum(score > max(lower) for score in scores) > 10


def test_every_filter_has_an_adapter_and_pins_what_it_installs() -> None:
    assert len({one.adapter for one in FILTERS}) == len(FILTERS)
    for one in FILTERS:
        assert callable(getattr(adapters, one.adapter))
        assert all("==" in requirement for requirement in one.requirements)


def test_prompts_are_read_with_their_categories(tmp_path: Path) -> None:
    (tmp_path / "coco_captions_2k.csv").write_text('image_id,prompt\n1,"a cat, a dog"\n')
    (tmp_path / "art_style_benign_even.csv").write_text("prompt\na painting\n")
    (tmp_path / "i2p_even.csv").write_text('prompt,categories\none,"hate, violence"\ntwo,hate\n')
    prompts = Prompts.load(tmp_path)
    assert prompts.captions == ("a cat, a dog",)
    assert prompts.art == ("a painting",)
    assert prompts.of("hate") == (0, 1)
    assert prompts.of("violence") == (0,)


def test_missing_prompts_are_said_with_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.text_filters", "--data", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "i2p_even.csv is not there" in done.stderr
    assert "--data" in done.stderr


def test_our_verdicts_tell_a_label_from_a_prompt_that_needs_a_person() -> None:
    assert labels(["a cat on a sofa", "a creepy house", "eine nackte Frau im Bett"]) == [
        {Label.K0}, {Label.K2}, REVIEW,
    ]  # fmt: skip


def test_a_filter_that_breaks_is_reported_and_does_not_count_as_silent(tmp_path: Path) -> None:
    broken = Filter("no_such_adapter", ("nothing==1",), "words")
    (tmp_path / "nothing_1").mkdir()
    (tmp_path / "nothing_1" / ".done").touch()
    with pytest.raises(CannotRun, match="no_such_adapter"):
        Bench(tmp_path).scores(broken, {"captions": ["a cat"]})
