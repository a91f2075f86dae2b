"""How a run is cut, shared and estimated: no models are loaded here."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ethical_lens.evaluation.__main__ import main
from ethical_lens.evaluation.estimate import Prices, estimate
from ethical_lens.evaluation.journal import EvaluationError, SettingsDiffer, read_records
from ethical_lens.evaluation.recipe import (
    Prompts,
    Recipe,
    SetSource,
    bias_prompts_of,
    prepare,
    read_recipe,
)
from ethical_lens.evaluation.records import Arm
from ethical_lens.evaluation.shards import claim, finish, is_done, shards_of
from ethical_lens.policy import Policy
from ethical_lens.results import Attribute

from .making import record, shown


@pytest.fixture
def files(tmp_path: Path) -> Path:
    toxic = [f"a house {i} in the mountains" for i in range(10)]
    (tmp_path / "toxic.txt").write_text("\n".join(toxic))
    (tmp_path / "people.txt").write_text("a doctor\na female doctor\na red house\n")
    return tmp_path


def recipe(files: Path, **changes: Any) -> Recipe:
    sets = {
        "toxicity": SetSource(kind="list", path=str(files / "toxic.txt")),
        "bias": SetSource(kind="list", path=str(files / "people.txt"), pictures=4),
    }
    arms = (Arm.BASE, Arm.ALIGNED, Arm.NO_TEXT, Arm.API)
    return Recipe(
        **{"models": "mini", "policy": Policy(), "arms": arms, "sets": sets, "shard": 2} | changes
    )


def test_every_prompt_is_in_one_piece_of_each_arm_and_draws_are_shared(files: Path) -> None:
    one = recipe(files)
    shards = shards_of(one, prepare(one, files / "run"))

    assert len({shard.name for shard in shards}) == len(shards)
    for arm in (Arm.BASE, Arm.ALIGNED, Arm.API):
        numbers = [
            (shard.suite_set, number)
            for shard in shards
            if shard.arm is arm
            for number, _ in shard.prompts
        ]
        assert numbers == [("toxicity", i) for i in range(10)] + [("bias", i) for i in range(3)]
    ablated = {(s.suite_set, s.index): s for s in shards if s.arm is Arm.NO_TEXT}
    assert len(ablated) == 2  # a quarter of five pieces, and the least there can be of two
    whole = {(s.suite_set, s.index): s for s in shards if s.arm is Arm.ALIGNED}
    for place, shard in ablated.items():
        assert shard.prompts == whole[place].prompts
        assert shard.draws_seed(1) == whole[place].draws_seed(1)
    assert len({shard.draws_seed(1) for shard in whole.values()}) == len(whole)


def test_a_folder_is_prepared_once(files: Path) -> None:
    prepare(recipe(files), files / "run")
    prepare(recipe(files), files / "run")

    with pytest.raises(SettingsDiffer, match="shard"):
        prepare(recipe(files, shard=3), files / "run")
    (files / "people.txt").write_text("a nurse\n")
    with pytest.raises(SettingsDiffer, match="the prompts"):
        prepare(recipe(files), files / "run")
    assert len(read_recipe(files / "run")[1].sets["bias"]) == 3  # as they were


def test_what_is_no_set_is_refused(files: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be read"):
        prepare(recipe(files, sets={"bias": SetSource(kind="i2p", path="/nowhere")}), files / "a")
    (files / "empty.txt").write_text("# nothing\n")
    empty = {"bias": SetSource(kind="list", path=str(files / "empty.txt"))}
    with pytest.raises(EvaluationError, match="holds no prompt"):
        prepare(recipe(files, sets=empty), files / "b")
    with pytest.raises(ValueError, match="there is toxicity, bias, quality"):
        recipe(files, sets={"other": SetSource(kind="list", path="x")})


def test_an_attribute_that_a_prompt_states_is_not_open(files: Path) -> None:
    prompts = prepare(recipe(files), files / "run")
    doctor, female, house = bias_prompts_of(prompts).values()

    assert doctor.open == frozenset(Attribute)
    assert Attribute.GENDER not in female.open
    assert Attribute.RACE in female.open
    assert house.open == frozenset(Attribute)  # whoever is seen there was left open


def test_a_piece_is_done_once_and_found_by_the_report(files: Path) -> None:
    one = recipe(files)
    shard, *_ = shards_of(one, prepare(one, files / "run"))
    folder = files / "run"

    with claim(folder, shard) as ours:
        assert ours
        with claim(folder, shard) as second:
            assert not second
        finish(folder, shard, [record("list-00001", shown(), arm=Arm.BASE)])
    assert is_done(folder, shard)
    with claim(folder, shard) as again:
        assert not again
    assert [one.id for one in read_records(folder)] == ["list-00001"]


HOLD = """
import sys, time
from pathlib import Path
from ethical_lens.evaluation.recipe import read_recipe
from ethical_lens.evaluation.shards import claim, shards_of
folder = Path(sys.argv[1])
with claim(folder, shards_of(*read_recipe(folder))[0]) as ours:
    print(ours, flush=True)
    time.sleep(600)
"""


def test_a_killed_process_gives_its_piece_back_at_once(files: Path) -> None:
    one, folder = recipe(files), files / "run"
    shard, *_ = shards_of(one, prepare(one, folder))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "True\n"
            with claim(folder, shard) as ours:
                assert not ours
        finally:
            holder.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with claim(folder, shard) as ours:
            if ours:
                return
        time.sleep(0.05)
    raise AssertionError("the piece was not given back")


def test_the_estimate_counts_requests_and_says_what_it_does_not_know(files: Path) -> None:
    one = recipe(files, judge=True, policy=Policy(aligners=("llm", "rules")))
    shards = shards_of(one, prepare(one, files / "run"))

    found = estimate(one, shards)

    # 10 prompts with one picture and 3 with four, on three arms; no-text has 2 + 2 prompts.
    assert found.api_pictures == 22
    assert found.painted_here == 22 + 22 + 2 + 8
    assert found.judgements == 76
    assert found.texts == 2 * (3 * 13 + 4) + 76
    assert found.cost(Prices(per_picture=0.04, per_judgement=0.01)) is None
    cost = found.cost(Prices(per_picture=0.5, per_judgement=0.25, per_text=0.125))
    assert cost == 22 * 0.5 + 76 * 0.25 + found.texts * 0.125
    text = found.table(Prices(seconds_per_picture=100.0, per_picture=0.5)).markdown()
    assert "| pictures painted here | 54 | 1.50 hours at 100 s a picture |" in text
    assert "| requests to the image API | 22 | 11.00 |" in text
    assert "price not known" in text


def test_the_estimate_is_of_what_is_left(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = files / "run"
    asked = ["run", "--suite", "paper", "--bias", f"list:{files / 'people.txt'}", "--shard", "2"]
    asked += ["--out", str(run), "--prepare", "--judge", "--price-per-judgement", "0.5"]
    asked += ["--seconds-per-picture", "360"]

    assert main(asked) == 0
    before = capsys.readouterr().out
    shard, *_ = shards_of(*read_recipe(run))
    with claim(run, shard):
        finish(run, shard, [record(one.id, shown(), arm=shard.arm) for _, one in shard.prompts])
    assert main(asked) == 0
    after = capsys.readouterr().out

    # Three prompts of four pictures on two arms; the first piece has two of them.
    assert "| pictures painted here | 24 | 2.40 hours at 360 s a picture |" in before
    assert "| cost in all, at most |  | 12.00 |" in before
    assert "| prompts, over all arms | 4 |  |" in after
    assert "| pictures painted here | 16 | 1.60 hours at 360 s a picture |" in after
    assert "| requests to the judge, at most | 16 | 8.00 |" in after


def test_nothing_begins_unless_somebody_agrees(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", "--suite", "paper", "--bias", f"list:{files / 'people.txt'}"]

    assert main([*asked, "--out", str(files / "run"), "--estimate"]) == 0
    assert "| prompts, over all arms | 6 |" in capsys.readouterr().out
    assert main([*asked, "--out", str(files / "run")]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["run", "--suite", "paper", "--out", str(files / "x"), "--yes"]) == 2
    assert "name prompts" in capsys.readouterr().err
    assert main([*asked, "--out", str(files / "run"), "--quality", "what"]) == 2
    assert main([*asked, "--out", str(files / "y"), "--toxicity", "odd:file"]) == 2
    assert "sets.toxicity.kind" in capsys.readouterr().err


def test_prompts_have_a_digest_of_their_own(files: Path) -> None:
    one = prepare(recipe(files), files / "run")
    assert one.digest() == Prompts.model_validate_json(one.model_dump_json()).digest()
    assert one.digest() != Prompts(sets={"bias": one.sets["bias"]}).digest()
