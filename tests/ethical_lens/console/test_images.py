"""Pictures that exist already, judged by random models under policies that make them fire."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ethical_lens.console.command_line import main
from ethical_lens.console.images import PictureJudge, files_below
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.policy import DEFAULT_CONCEPTS, OUT_OF_REACH, BlurSettings, ConceptRule, Policy
from ethical_lens.results import Concept

pytestmark = pytest.mark.models


def policy(blur: BlurSettings | None = None, **thresholds: float) -> Policy:
    """Only the concepts in `thresholds` can fire."""
    return Policy(
        concepts={
            concept: ConceptRule(
                threshold=thresholds.get(concept.value, OUT_OF_REACH), scope=rule.scope
            )
            for concept, rule in DEFAULT_CONCEPTS.items()
        },
        blur=blur or BlurSettings(),
    )


def written(file: Path, rules: Policy) -> Path:
    file.write_text(rules.model_dump_json(), "utf-8")
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pictures: list[Image.Image]) -> Path:
    """Two pictures, one of them below, and files that are none."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "below").mkdir()
    pictures[0].save(folder / "a.png")
    pictures[1].save(folder / "below" / "B.JPG", "JPEG")
    (folder / "notes.txt").write_text("no picture")
    (folder / "folder.png").mkdir()
    return folder


def test_the_script_writes_a_line_of_json_for_each_picture(
    folder: Path,
    tmp_path: Path,
    random_models_file: Path,
    console: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    broken, moving = tmp_path / "broken.png", tmp_path / "moving.gif"
    broken.write_bytes((folder / "a.png").read_bytes()[:500])
    Image.new("L", (8, 8)).save(moving, save_all=True, append_images=[Image.new("L", (8, 8), 255)])
    rules = written(tmp_path / "policy.json", policy())

    done = console(
        "images", broken, folder, moving, "--json", "--models", random_models_file,
        "--policy", rules,
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    paths = [str(broken), str(folder / "a.png"), str(folder / "below" / "B.JPG"), str(moving)]
    assert [line["path"] for line in lines] == paths
    assert [line.get("code") for line in lines] == ["unreadable", None, None, "several_pictures"]
    assert "truncated" in lines[0]["error"]
    for line in lines[1:3]:
        assert line["action"] == "release"
        assert line["findings"] == []
        assert set(line["scores"]) == {concept.value for concept in Concept}
    assert "4 pictures: 2 error, 2 release" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--fail-on-finding"], 3)])
def test_findings_fail_only_when_asked_to(
    options: list[str],
    code: int,
    folder: Path,
    tmp_path: Path,
    random_models_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules = written(tmp_path / "policy.json", policy(nsfw=0.0))
    given = ["images", str(folder), "--models", str(random_models_file), "--policy", str(rules)]

    assert main([*given, *options]) == code

    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["action", *(concept.value for concept in Concept), "picture"]
    assert [line.split()[0] for line in lines] == ["block", "block"]
    assert all(line.split()[1].endswith("*") for line in lines)
    assert [line.split()[-1] for line in lines] == [
        str(folder / "a.png"),
        str(folder / "below" / "B.JPG"),
    ]


@pytest.fixture
def judged(
    scrutineer: Scrutineer,
    region_finder: RegionFinder,
    sees_nobody: FaceReader,
    pictures: list[Image.Image],
    tmp_path: Path,
) -> Callable[[Policy], list[dict[str, Any]]]:
    """The verdicts on all pictures under a policy."""

    def judge(rules: Policy) -> list[dict[str, Any]]:
        lines = []
        for i, picture in enumerate(pictures):
            picture.save(tmp_path / f"{i}.png")
            judge = PictureJudge(scrutineer, region_finder, sees_nobody, rules)
            lines.append(judge.judge(tmp_path / f"{i}.png"))
        return lines

    return judge


def test_a_region_that_a_blur_clears_is_to_be_blurred(
    judged: Callable[[Policy], list[dict[str, Any]]],
) -> None:
    scores = [line["scores"]["nude"] for line in judged(policy())]
    actions = set()
    for threshold in scores:
        for line, score in zip(judged(policy(nude=threshold)), scores, strict=True):
            assert (line["action"] == "release") == (score < threshold)
            assert [f["concept"] for f in line["findings"]] == ["nude"] * (score >= threshold)
            actions.add((line["action"], line["reason"]))
    assert ("blur", "region_toxic") in actions
    assert ("block", "region_still_toxic") in actions


def test_a_region_that_is_not_found_goes_to_a_person(
    judged: Callable[[Policy], list[dict[str, Any]]],
) -> None:
    barely = BlurSettings(mask_threshold=0.999999)
    assert {line["reason"] for line in judged(policy(barely, public=0.0))} == {"region_not_found"}


def test_a_picture_that_fires_as_a_whole_is_blocked_not_painted_again(
    judged: Callable[[Policy], list[dict[str, Any]]],
) -> None:
    assert {line["action"] for line in judged(policy(politic=0.0))} == {"block"}


def test_folders_are_searched_and_files_taken_as_named(folder: Path, tmp_path: Path) -> None:
    assert list(files_below(folder)) == [folder / "a.png", folder / "below" / "B.JPG"]
    assert list(files_below(folder / "notes.txt")) == [folder / "notes.txt"]
    assert list(files_below(tmp_path)) == [tmp_path]
