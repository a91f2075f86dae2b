"""Training of the face reader: a few steps, interrupted and gone on with."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ethical_lens.image.faces import CLASSIFIER, DETECTOR, FaceReader
from ethical_lens.mini.bars import faces as bar
from ethical_lens.mini.training import faces
from ethical_lens.mini.training.boxes import face_boxes, heat
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.drawing import draw

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mini")


@pytest.fixture(scope="module")
def models(work: Path) -> Path:
    """The folder of models, its face reader trained for two steps."""
    faces.train_faces(work, work / "models" / "faces", steps=2, count=32)
    return work / "models"


def test_what_was_trained_loads_and_is_measured(models: Path) -> None:
    measured = bar.measure(models, 8)
    assert measured["recall"].value == 0.0
    assert FaceReader.load(models / "faces", "cpu")


def test_weights_are_small(models: Path) -> None:
    size = sum((models / "faces" / name).stat().st_size for name in (DETECTOR, CLASSIFIER))
    assert size < 1_500_000


@pytest.mark.parametrize("part", ["detector", "classifier"])
def test_an_interrupted_training_ends_the_same(work: Path, tmp_path: Path, part: str) -> None:
    train = {"detector": faces.train_detector, "classifier": faces.train_classifier}[part]
    name = {"detector": DETECTOR, "classifier": CLASSIFIER}[part]
    (tmp_path / "drawings").symlink_to(work / "drawings")
    train(tmp_path, tmp_path / "whole", steps=4, count=32)
    (tmp_path / f"faces-{part}.state.pt").unlink()

    class Stop(Exception):
        pass

    real, calls = faces.worsened, []

    def stopping(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise Stop
        return real(pictures, generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ethical_lens.mini.training.loop._SAVE_EVERY_SECONDS", -1.0)
        patch.setattr(faces, "worsened", stopping)
        with pytest.raises(Stop):
            train(tmp_path, tmp_path / "parts", steps=4, count=32)
    train(tmp_path, tmp_path / "parts", steps=4, count=32)
    whole, parts = (load_file(tmp_path / folder / name) for folder in ("whole", "parts"))
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())


def test_boxes_are_those_of_the_drawings(tmp_path: Path) -> None:
    drawings = Drawings(tmp_path, "balanced", 3, 12)
    for _ in range(2):  # made, then read
        boxes = face_boxes(drawings)
        for scene, row in zip(drawings, boxes, strict=True):
            truth = [face.box for face in draw(scene).faces]
            assert row[: len(truth)] == pytest.approx(torch.tensor(truth).reshape(-1, 4).numpy())
            assert torch.isnan(torch.from_numpy(row[len(truth) :])).all()


def test_heat_is_one_where_a_face_is_and_nothing_where_nobody_is() -> None:
    middles = torch.tensor([[[2.5, 1.5], [torch.nan, torch.nan]], [[torch.nan] * 2] * 2])
    one, none = heat(middles, 6)
    assert one[1, 2] == 1
    assert (one == 1).sum() == 1
    assert one[1, 3] == one[0, 2] < 0.3
    assert none.sum() == 0


def test_overlap_is_intersection_over_union() -> None:
    assert bar.overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert bar.overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0.0
