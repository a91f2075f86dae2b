"""The command from end to end: drawings of the miniature world, simulated raters, real encoder."""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.sampling import balanced_scene
from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.sources import ModelSources
from ethical_lens.training.heads import features
from ethical_lens.training.heads.__main__ import UNREACHED, main
from ethical_lens.training.heads.contents import content_of
from ethical_lens.training.heads.features import FeatureCache
from ethical_lens.training.heads.parts import Part

pytestmark = pytest.mark.models

ROOT = Path(__file__).resolve().parents[3]
COUNT = 200
TRAINED = (Concept.NUDE, Concept.NSFW)
STEPS = 300
# Three of the table's pictures: one is missing, one is cut short, one is a text.
BAD = {"gone.png": "is missing", "short.png": "cannot be read", "text.png": "is no PNG"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pictures`, and `labels.csv`: three raters who are wrong in one of twenty answers."""
    folder = tmp_path_factory.mktemp("heads")
    pictures = folder / "pictures"
    pictures.mkdir()
    chance = random.Random(7)
    rows, kinds = [], [*TRAINED, None]
    for number in range(COUNT):
        wanted = kinds[number % 3]
        scene = balanced_scene(chance)
        while scene.concepts if wanted is None else wanted not in scene.concepts:
            scene = balanced_scene(chance)
        name = f"{number:03}.png"
        drawn = draw(scene).picture
        drawn.save(pictures / name)
        rows += _answers(name, scene.concepts, chance)
        if number < 12:  # the same picture in another file
            drawn.save(pictures / f"{number:03}.bmp")
            rows += _answers(f"{number:03}.bmp", scene.concepts, chance)
    whole = (pictures / "000.png").read_bytes()
    (pictures / "short.png").write_bytes(whole[: len(whole) // 2])
    (pictures / "text.png").write_text("no picture")
    rows += [row for name in BAD for row in _answers(name, frozenset(), chance)]
    _write(folder / "labels.csv", rows)
    return folder


def _answers(name: str, shown: frozenset[Concept], chance: random.Random) -> list[list[Any]]:
    return [
        [name, rater, *((concept in shown) != (chance.random() < 0.05) for concept in TRAINED)]
        for rater in ("anna", "ben", "cleo")
    ]


def _write(file: Path, rows: list[list[Any]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["picture", "rater", *TRAINED], *rows])


def arguments(folder: Path, out: Path, *more: object, steps: int = STEPS) -> list[str]:
    given = ["--pictures", folder / "pictures", "--labels", folder / "labels.csv", "--out", out]
    given += ["--steps", steps, "--rate", "2e-3", *more]
    return [str(one) for one in given]


def command(given: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ethical_lens.training.heads", *given],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[Path, str]:
    """A finished run in a process of its own, and what it wrote to stderr."""
    process = command(arguments(folder, folder / "run"))
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert stdout.strip() == str(folder / "run" / "report.md")
    return folder / "run", stderr


@pytest.fixture
def copy(run: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the finished run, to go on with."""
    shutil.copytree(run[0], tmp_path / "run")
    return tmp_path / "run"


def report(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "report.json").read_text())
    return found


def parts(run: Path) -> list[dict[str, str]]:
    with (run / "parts.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def trained_at(run: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (run / "trained").iterdir()}


def test_heads_learn_what_is_drawn(run: tuple[Path, str]) -> None:
    for concept in TRAINED:
        found = report(run[0])["concepts"][concept]
        assert found["test"]["average_precision"]["value"] > 0.8
        assert found["validation"]["precision"]["value"] >= 0.9
        assert 0 < found["threshold"] < 1
        low, high = found["test"]["precision"]["interval"]
        assert low < high <= 1


def test_scrutiny_loads_the_heads_and_gives_the_reports_figures(
    run: tuple[Path, str], folder: Path
) -> None:
    """The threshold has its precision on the validation part, counted by other code."""
    policy = Policy.model_validate_json((run[0] / "policy.json").read_text())
    sources = ModelSources.read("mini").model_copy(update={"heads": run[0] / "heads"})
    scrutineer = Scrutineer.load(sources)
    by_content = {row["content"]: row for row in parts(run[0])}.values()
    for concept in TRAINED:
        shown = report(run[0])["concepts"][concept]
        assert policy.concepts[concept].threshold == shown["threshold"]
        assert (
            scrutineer.digests[f"heads/{concept}"] == report(run[0])["digests"][f"heads/{concept}"]
        )
        for part in ("validation", "test"):
            rows = [row for row in by_content if row["part"] == part and row[concept]]
            images = [Image.open(folder / "pictures" / row["picture"]) for row in rows]
            scores = [one[concept] for one in scrutineer.score(images)]
            fired = [
                row[concept] == "1"
                for row, score in zip(rows, scores, strict=True)
                if score >= shown["threshold"]
            ]
            assert (sum(fired), len(fired)) == (
                shown[part]["precision"]["hits"],
                shown[part]["precision"]["count"],
            )


def test_heads_that_were_not_trained_are_those_of_the_models(run: tuple[Path, str]) -> None:
    own, mini = run[0] / "heads", ModelSources.read("mini").heads
    others = [concept for concept in Concept if concept not in TRAINED]
    assert report(run[0])["copied"] == [concept.value for concept in others]
    for concept in others:
        name = f"{concept.value}.safetensors"
        assert (own / name).read_bytes() == (mini / name).read_bytes()


def test_the_report_has_curves_counts_and_digests(run: tuple[Path, str]) -> None:
    text = (run[0] / "report.md").read_text()
    for concept in TRAINED:
        assert f"({concept}.png)" in text
        with Image.open(run[0] / f"{concept}.png") as image:
            image.load()
            assert min(image.size) > 800
        found = report(run[0])["concepts"][concept]
        labelled = sum(part["yes"] + part["no"] for part in found["labels"].values())
        assert labelled + sum(found["left_out"].values()) == COUNT
        assert found["looks"][-1]["step"] == STEPS
        assert found["step"] in {look["step"] for look in found["looks"]}
    assert report(run[0])["digests"]["encoder"] == ModelSources.read("mini").clip.digest()
    assert report(run[0])["pictures"]["copies"] == 12


def test_bad_pictures_are_named_and_do_not_stop_it(run: tuple[Path, str]) -> None:
    found = report(run[0])["pictures"]["unreadable"]
    assert found.keys() == BAD.keys()
    for name, why in BAD.items():
        assert why in found[name]
        assert f"left out: {name}" in run[1]
        assert name in (run[0] / "report.md").read_text()


def test_a_picture_is_in_one_part_however_often_it_is_there(
    run: tuple[Path, str], folder: Path
) -> None:
    where: dict[bytes, set[str]] = defaultdict(set)
    copies = 0
    for row in parts(run[0]):
        with Image.open(folder / "pictures" / row["picture"]) as image:
            where[image.convert("RGB").tobytes()].add(row["part"])
        copies += row["picture"].endswith(".bmp")
    assert copies == 12
    assert all(len(some) == 1 for some in where.values())
    assert {part for some in where.values() for part in some} == {*Part}


def test_what_is_finished_is_not_done_again(copy: Path, folder: Path) -> None:
    before = trained_at(copy)
    heads = {file.name: file.read_bytes() for file in (copy / "heads").iterdir()}

    assert main(arguments(folder, copy)) == 0

    assert trained_at(copy) == before
    assert {file.name: file.read_bytes() for file in (copy / "heads").iterdir()} == heads
    assert report(copy)["pictures"]["encoded_now"] == 0
    assert not any(one["trained_now"] for one in report(copy)["concepts"].values())


def test_again_trains_again(copy: Path, folder: Path) -> None:
    before = trained_at(copy)
    assert main(arguments(folder, copy, "--again", "--concept", "nude")) == 0
    after = trained_at(copy)
    assert [name for name in before if before[name] != after[name]] == ["nude.safetensors"]
    assert report(copy)["pictures"]["encoded_now"] == 0


def turned_round(folder: Path, into: Path, names: set[str]) -> Path:
    """The same pictures, and a table in which raters say the opposite of those in `names`."""
    with (folder / "labels.csv").open(newline="") as stream:
        _, *rows = csv.reader(stream)
    into.mkdir()
    (into / "pictures").symlink_to(folder / "pictures")
    _write(
        into / "labels.csv",
        [
            [name, rater, *(str(cell != "True") if name in names else cell for cell in cells)]
            for name, rater, *cells in rows
        ],
    )
    return into


def test_the_test_part_chooses_nothing(copy: Path, folder: Path) -> None:
    """All labels of the test part turned round: same weights, same thresholds, other figures."""
    test = {row["picture"] for row in parts(copy) if row["part"] == Part.TEST}
    turned = turned_round(folder, copy.with_name("turned"), test)
    chosen = [*sorted((copy / "heads").iterdir()), copy / "policy.json"]
    before = {file: file.read_bytes() for file in chosen}
    good = report(copy)["concepts"][Concept.NUDE]["test"]["average_precision"]["value"]

    assert main(arguments(turned, copy)) == 0

    assert {file: file.read_bytes() for file in chosen} == before
    turned_to = report(copy)["concepts"][Concept.NUDE]["test"]["average_precision"]["value"]
    assert turned_to < good


@pytest.mark.parametrize("part", [Part.TRAIN, Part.VALIDATION])
def test_a_head_of_other_labels_does_not_pass_for_finished(
    copy: Path, folder: Path, part: Part, capsys: pytest.CaptureFixture[str]
) -> None:
    one = next(row for row in parts(copy) if row["part"] == part and row["picture"] > "012")
    turned = turned_round(folder, copy.with_name("turned"), {one["picture"]})
    assert main(arguments(turned, copy)) == 1
    assert "was trained with other labels" in capsys.readouterr().err


def test_a_head_of_other_settings_does_not_pass_for_finished(
    copy: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, copy, steps=STEPS + 1)) == 1
    assert "was trained with other steps" in capsys.readouterr().err


def test_a_precision_out_of_reach_is_said_and_leaves_no_policy(
    copy: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "labels.csv").open(newline="") as stream:
        _, *rows = csv.reader(stream)
    lost = copy.with_name("lost")
    lost.mkdir()
    (lost / "pictures").symlink_to(folder / "pictures")
    # What a picture shows has nothing to do with its content: two of five, by its name.
    _write(
        lost / "labels.csv",
        [[name, rater, int(name[:3].isdigit() and int(name[:3]) * 7 % 5 < 2), 0]
         for name, rater, *_ in rows],
    )  # fmt: skip

    given = arguments(
        lost, copy, "--concept", "nude", "--again", "--precision", 0.5, "--precision", "nude=1"
    )
    assert main(given) == UNREACHED

    said = capsys.readouterr().err
    assert "nude: on the validation part no threshold" in said
    assert "--precision nude=0." in said
    assert not (copy / "policy.json").exists()
    assert report(copy)["concepts"]["nude"]["threshold"] is None
    assert "not reached" in (copy / "report.md").read_text()


def test_a_run_that_was_killed_goes_on(run: tuple[Path, str], folder: Path) -> None:
    """Killed while the second head is trained: features and first head stay as they are."""
    out = folder / "killed"
    shutil.copytree(run[0] / "features", out / "features")
    steps = 1200
    process = command(arguments(folder, out, steps=steps))
    first, second = (out / "trained" / f"{one}.safetensors" for one in _in_order(TRAINED))
    while not first.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not second.exists()
    before = first.stat().st_mtime_ns

    assert main(arguments(folder, out, steps=steps)) == 0

    assert first.stat().st_mtime_ns == before
    found = report(out)["concepts"]
    assert [found[one]["trained_now"] for one in _in_order(TRAINED)] == [False, True]
    assert report(out)["pictures"]["encoded_now"] == 0


def _in_order(concepts: tuple[Concept, ...]) -> list[Concept]:
    return [concept for concept in Concept if concept in concepts]


class Breaks(ImageEncoder):
    """The real encoder, until it has been asked `left` times."""

    left = 3

    def encode(self, images: Any) -> torch.Tensor:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(images)


def test_features_that_were_computed_are_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "SHARD", 8)
    clip = ModelSources.read("mini").clip
    files = {}
    for number in range(20):
        file = folder / "pictures" / f"{number:03}.png"
        with Image.open(file) as image:
            files[content_of(image.convert("RGB"))] = file
    load: Callable[[], ImageEncoder] = lambda: Breaks.load(clip, torch.device("cpu"))  # noqa: E731

    with pytest.raises(KeyboardInterrupt):
        FeatureCache(tmp_path, "mini").fill(files, load, batch=4)

    cache = FeatureCache(tmp_path, "mini")
    assert cache.missing(list(files)) == list(files)[8:]
    assert FeatureCache(tmp_path, "another").missing(list(files)) == list(files)
    encoder = ImageEncoder.load(clip, torch.device("cpu"))
    assert cache.fill(files, lambda: encoder) == 12
    kept = FeatureCache(tmp_path, "mini").read(list(files))
    for content, file in list(files.items())[::7]:
        with Image.open(file) as image:
            torch.testing.assert_close(kept[content], encoder.encode([image]), atol=1e-4, rtol=1e-4)

    damaged = next(tmp_path.rglob("*.safetensors"))
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert 0 < len(FeatureCache(tmp_path, "mini").missing(list(files))) <= 12


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--most-bad", "0.01"], "text.png: is no PNG"),
        (["--models", "nowhere.json"], "nowhere.json: is no preset"),
        (["--policy", "nowhere.json"], "--policy nowhere.json"),
        (["--labels", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--concept", "public"], "says nothing of public"),
        (["--pictures", "nowhere"], "is missing"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: tuple[Path, str],
    folder: Path,
    tmp_path: Path,
    more: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache = str(run[0] / "features")
    assert main([*arguments(folder, tmp_path / "out"), "--cache", cache, *more]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--precision", "1.5"], ["--precision", "nudes=0.9"], ["--steps", "0"]]
)
def test_a_wrong_command_line_is_refused(folder: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main([*arguments(folder, folder / "out"), *wrong])
    assert raised.value.code == 2
