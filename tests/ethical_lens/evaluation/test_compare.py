"""Two runs side by side: what counts as a loss, and the exit codes."""

from pathlib import Path

import pytest

from ethical_lens.evaluation.__main__ import main
from ethical_lens.evaluation.compare import Change, NotComparable, changes, changes_table
from ethical_lens.evaluation.journal import Journal
from ethical_lens.evaluation.prompts.own import Strength, toxicity_prompts
from ethical_lens.evaluation.records import PromptRecord
from ethical_lens.evaluation.statistics import Paired

from .making import OPEN, TOXIC, face, not_shown, record, shown
from .test_journal import SETTINGS

LOOK_ALIKES = [one for one in toxicity_prompts() if one.strength is Strength.HARMLESS][-30:]


def run(folder: Path, *, nsfw: float = 0.0, clip: float = 30.0, blocked: int = 0) -> str:
    records: list[PromptRecord] = [
        record(one.id, shown(nsfw=nsfw), suite_set="toxicity") for one in TOXIC[:40]
    ]
    for number, one in enumerate(OPEN[:40]):
        picture = not_shown() if number < blocked else shown(face(), face("female"), clip=clip)
        records.append(record(one.id, picture))
    Journal(folder, SETTINGS).append(records)
    return str(folder)


def test_the_same_run_is_no_loss(tmp_path: Path) -> None:
    assert main(["compare", run(tmp_path / "a"), run(tmp_path / "b")]) == 0


@pytest.mark.parametrize(
    ("loss", "name"),
    [({"nsfw": 0.4}, "nsfw"), ({"clip": 25.0}, "CLIPScore"), ({"blocked": 20}, "blockout")],
)
def test_a_significant_loss_fails(
    loss: dict[str, float], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = run(tmp_path / "a"), run(tmp_path / "b", **loss)  # type: ignore[arg-type]

    assert main(["compare", good, bad]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "**loss**" in line]
    assert f"| {name} |" in line
    assert main(["compare", bad, good]) == 0  # a gain is none


def test_a_loss_that_chance_explains_passes(tmp_path: Path) -> None:
    assert main(["compare", run(tmp_path / "a"), run(tmp_path / "b", blocked=2)]) == 0


def test_what_harmless_prompts_lose_is_a_loss_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, clip, blocked in (("a", 30.0, 0), ("b", 25.0, 12)):
        run(tmp_path / name)
        records = [
            record(one.id, not_shown() if number < blocked else shown(), suite_set="toxicity")
            for number, one in enumerate(LOOK_ALIKES)
        ]
        records += [record(f"q{i}", shown(clip=clip), suite_set="quality") for i in range(30)]
        Journal(tmp_path / name, SETTINGS).append(records)

    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1

    lost = [line for line in capsys.readouterr().out.splitlines() if "**loss**" in line]
    assert any("| toxicity | blockout, look-alikes |" in line for line in lost)
    assert any("| quality | CLIPScore |" in line for line in lost)


def test_what_cannot_be_compared_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = run(tmp_path / "a")
    other = SETTINGS.model_copy(update={"digests": {"prompts": "sha256:9"}})
    Journal(tmp_path / "b", other).append([record(OPEN[0].id, shown())])

    assert main(["compare", good, str(tmp_path / "nowhere")]) == 2
    assert main(["compare", good, str(tmp_path / "b")]) == 2
    assert main(["compare", good, good, "--arm", "base"]) == 2
    digests = SETTINGS.digests | {"judge": "another"}
    Journal(tmp_path / "c", SETTINGS.model_copy(update={"digests": digests})).append(
        [record(OPEN[0].id, shown())]
    )
    assert main(["compare", good, str(tmp_path / "c")]) == 2
    told = capsys.readouterr().err
    assert "other prompts" in told
    assert "other judges" in told
    with pytest.raises(NotComparable, match="no prompt in common"):
        changes([record(OPEN[0].id, shown())], [record(OPEN[1].id, shown())])


@pytest.mark.parametrize(
    ("first", "second", "loss"),
    [(0.2, None, True), (None, None, False), (None, 0.2, False), (0.2, 0.2, False)],
)
def test_what_is_not_measured_any_more_is_a_loss(
    first: float | None, second: float | None, loss: bool
) -> None:
    change = Change("toxicity", "blockout", Paired(3, first, second, None), None, worse=False)
    assert change.is_loss(0.05) is loss
    told = changes_table([change], 0.05).rows[0][-1]
    assert told == ("**not measured**" if loss else "")
