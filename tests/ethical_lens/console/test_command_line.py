"""Errors are one line and an exit code, and nothing heavy is loaded to say so."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ethical_lens.console.command_line import main

ROOT = Path(__file__).resolve().parents[3]


def test_the_entry_point_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    entry = EntryPoint("ethical-lens", project["scripts"]["ethical-lens"], "console_scripts")
    assert entry.load() is main


@pytest.mark.parametrize("command", ["generate", "prompts", "images"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"ethical-lens {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "a doctor", "-n", "0", "--out", "x"],
        ["generate", "a doctor", "-n", "many", "--out", "x"],
        ["generate", "a doctor", "--seed", "-1", "--out", "x"],
        ["generate", "a doctor"],
        ["prompts", "x.csv"],
        ["images"],
        [],
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_models_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["images", str(tmp_path), "--models", str(tmp_path / "none.json")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ethical-lens: ")
    assert "none.json: is no preset (mini, sd15, sdxl, sd-turbo) and no file" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"rounds": 9}', "rounds: Input should be less than or equal to 2"),
        ("{", "file: Invalid JSON"),
        ('{"concepts": {}}', "no rule for nsfw"),
        (None, "No such file"),
    ],
)
def test_a_wrong_policy_is_explained(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.json"
    if text is not None:
        policy.write_text(text, "utf-8")
    out = tmp_path / "out"

    assert main(["generate", "a doctor", "--out", str(out), "--policy", str(policy)]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ethical-lens: --policy {policy}: ")
    assert said in line
    assert not out.exists()


def test_the_parser_loads_nothing_heavy() -> None:
    code = (
        "import sys, ethical_lens.console.command_line\n"
        "print({'torch', 'diffusers', 'transformers', 'PIL', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
