"""What `generate` writes, with random models and policies that lead each picture its way."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ethical_lens.console.command_line import main
from ethical_lens.policy import DEFAULT_CONCEPTS, OUT_OF_REACH, ConceptRule, Policy
from ethical_lens.results import Concept

pytestmark = pytest.mark.models

Generate = Callable[..., tuple[Path, dict[str, Any]]]


def policy(**thresholds: float) -> Policy:
    """Only the concepts in `thresholds` can fire."""
    return Policy(
        concepts={
            concept: ConceptRule(
                threshold=thresholds.get(concept.value, OUT_OF_REACH), scope=rule.scope
            )
            for concept, rule in DEFAULT_CONCEPTS.items()
        }
    )


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture(scope="module")
def fast_models(random_models_file: Path) -> Path:
    """The random models with a pipeline that takes four steps."""
    document = json.loads(random_models_file.read_text("utf-8"))
    for pipeline in document["pipelines"].values():
        pipeline["steps"] = 4
    file = random_models_file.with_name("fast.json")
    file.write_text(json.dumps(document), "utf-8")
    return file


@pytest.fixture
def generate(fast_models: Path, tmp_path: Path) -> Generate:
    """Runs the command; the folder and the report it wrote."""

    def run(prompt: str, rules: Policy, *options: str) -> tuple[Path, dict[str, Any]]:
        (tmp_path / "policy.json").write_text(rules.model_dump_json(), "utf-8")
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        given = ["--out", out, "--models", fast_models, "--policy", tmp_path / "policy.json"]
        assert main(["generate", prompt, *map(str, given), *options]) == 0
        return out, json.loads((out / "report.json").read_text("utf-8"))

    return run


def test_the_script_paints_and_reports_every_step(
    fast_models: Path, tmp_path: Path, console: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    out, rules = tmp_path / "new" / "folder", tmp_path / "policy.json"
    rules.write_text(policy().model_dump_json(), "utf-8")

    done = console(
        "generate", "a doctor in an office", "-n", 4, "--out", out, "--seed", 7,
        "--models", fast_models, "--policy", rules,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "4/4" in done.stderr  # the progress bar: steps, not pictures
    assert "4 of 4 pictures" in done.stderr
    assert done.stdout == ""
    numbers = [f"000{i}.png" for i in range(4)]
    assert names(out) == [*numbers, "contact-sheet.png", "report.json"]
    for name in numbers:
        with Image.open(out / name) as image:
            assert image.size == (64, 64)
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.width > 4 * 192
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["prompt"] == "a doctor in an office"
    assert report["verdict"]["labels"] == ["K0"]
    assert report["verdict"]["clusters"][0]["kind"] == "doctor"
    assert report["policy"] == json.loads(rules.read_text("utf-8")) | {
        "diversify": ["age", "gender", "race"]
    }
    models = {"pipeline", "clip", "regions", *(f"heads/{c.value}" for c in Concept)}
    assert set(report["models"]) == models
    assert all(digest.startswith("sha256:") for digest in report["models"].values())
    assert [picture["file"] for picture in report["pictures"]] == numbers
    assert [picture["seed"] for picture in report["pictures"]] == [7, 8, 9, 10]
    for picture in report["pictures"]:
        (only,) = picture["rounds"]
        assert "doctor" in only["prompt"]
        assert only["draws"][0]["gender"] in {"male", "female"}
        assert only["first"] == only["final"]
        assert set(only["final"]["scores"]) == {concept.value for concept in Concept}
        assert (picture["action"], picture["reason"]) == ("release", "no_finding")
    genders = [picture["rounds"][0]["draws"][0]["gender"] for picture in report["pictures"]]
    assert sorted(genders) == ["female", "female", "male", "male"]


def test_a_picture_that_is_not_released_is_not_written(
    generate: Generate, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = generate("a house in the mountains", policy(nsfw=0.0), "-n", "2", "--seed", "1")

    assert names(out) == ["contact-sheet.png", "report.json"]
    assert "0 of 2 pictures, 2 held back" in capsys.readouterr().err
    for picture in report["pictures"]:
        assert picture["file"] is None
        assert (picture["action"], picture["reason"]) == ("block", "picture_still_toxic")
        first, second = picture["rounds"]
        assert (first["round"], second["round"]) == (1, 2)
        assert first["prompt"] == "a house in the mountains"
        assert second["prompt"] != first["prompt"]
        assert first["final"]["action"] == "repaint"
        assert first["final"]["findings"][0]["concept"] == "nsfw"


def test_some_are_shown_and_some_are_not(generate: Generate) -> None:
    prompt, options = "a house in the mountains", ("-n", "4", "--seed", "1")
    _, report = generate(prompt, policy(), *options)
    scores = [p["rounds"][0]["final"]["scores"]["politic"] for p in report["pictures"]]
    once = policy(politic=sorted(scores)[2]).model_copy(update={"rounds": 1})

    out, report = generate(prompt, once, *options)

    files = [picture["file"] for picture in report["pictures"]]
    expected = [f"000{i}.png" if s < sorted(scores)[2] else None for i, s in enumerate(scores)]
    assert files == expected
    assert names(out) == [*filter(None, files), "contact-sheet.png", "report.json"]


def test_a_blocked_prompt_leaves_the_report_alone(
    generate: Generate, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = generate("a nude child", policy(), "-n", "2")

    assert names(out) == ["report.json"]
    assert report["verdict"]["labels"] == ["K3"]
    assert report["pictures"] == []
    assert "blocked, nothing was painted" in capsys.readouterr().err


def test_the_seed_repeats_pictures_and_draws(generate: Generate) -> None:
    options = ("-n", "2", "--seed", "5")
    (one, first), (two, second) = (generate("a doctor", policy(), *options) for _ in range(2))

    assert (one / "0001.png").read_bytes() == (two / "0001.png").read_bytes()
    assert first == second


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "the prompt is empty"),
        ("a house " * 300, "the prompt has 2400 characters; at most 2000"),
        ("Ein alter Mann sitzt vor dem Haus und liest die Zeitung", "cannot be judged"),
    ],
)
def test_a_prompt_without_a_verdict_writes_nothing(
    prompt: str,
    said: str,
    fast_models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main(["generate", prompt, "--out", str(out), "--models", str(fast_models)]) == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--models", "{models}", "--pipeline", "house"], "none is named 'house'; there are"),
        (["--models", "none"], "none: is no preset"),
        (["--out", "{full}"], "is not empty; name a new folder"),
        (["--out", "{full}/file"], "is no folder"),
    ],
)
def test_what_is_missing_is_named(
    options: list[str],
    said: str,
    fast_models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    given = [option.format(models=fast_models, full=tmp_path / "full") for option in options]

    assert main(["generate", "a doctor", "--out", str(tmp_path / "out"), *given]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert names(tmp_path) == ["full"]
