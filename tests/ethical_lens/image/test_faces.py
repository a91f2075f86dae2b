"""The face reader, with networks that learned one thing by heart in a few seconds."""

import copy
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from ethical_lens.image.errors import ModelFailed, ScrutinyUnavailable, UnreadablePicture
from ethical_lens.image.faces import (
    CLASSIFIER,
    CONFIG,
    DETECTOR,
    FaceClassifier,
    FaceDetector,
    FaceReader,
    FacesConfig,
    crops,
)
from ethical_lens.image.readings import Distribution
from ethical_lens.mini.training.faces import write
from ethical_lens.results import LifeStage

pytestmark = pytest.mark.models

CPU = torch.device("cpu")
CONFIGURED = FacesConfig(
    genders=("male", "female"), races=("one", "two", "three"), stages=tuple(LifeStage)
)
RED = (250, 10, 10)


class RedDetector(FaceDetector):
    """Sees a face of 16 x 16 pixels around every cell that is wholly red."""

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        cells = nn.functional.avg_pool2d(pictures, 4)
        red = (cells[:, 0] > 0.9) & (cells[:, 1] < 0.1)
        return red * 20.0 - 10.0, torch.full((len(cells), 4, *cells.shape[2:]), 8.0)


def reader(detector: FaceDetector | None = None) -> FaceReader:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return FaceReader(CONFIGURED, detector or RedDetector(), FaceClassifier(CONFIGURED), CPU)


def picture(size: tuple[int, int], *at: tuple[int, int], side: int = 4) -> Image.Image:
    """Blue, with a red square of `side` pixels at each place."""
    image = Image.new("RGB", size, (20, 40, 200))
    for x, y in at:
        image.paste(RED, (x, y, x + side, y + side))
    return image


def test_distributions_name_their_best() -> None:
    odds = Distribution({"a": 0.2, "b": 0.7, "c": 0.1})
    assert (odds.best, odds.certainty) == ("b", 0.7)


def test_a_face_is_read_with_distributions_over_the_names_of_the_config() -> None:
    ((face,),) = reader().read([picture((96, 96), (40, 60))])
    assert face.box == pytest.approx((34, 54, 50, 70))
    assert face.score > 0.99
    assert set(face.gender.probabilities) == {"male", "female"}
    assert set(face.race.probabilities) == {"one", "two", "three"}
    assert set(face.stage.probabilities) == set(LifeStage)
    for odds in (face.gender, face.race, face.stage):
        assert sum(odds.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("size", "at", "side", "box"),
    [
        ((96, 96), (0, 0), 4, (0, 0, 10, 10)),
        ((192, 96), (184, 40), 4, (178, 34, 192, 50)),
        ((96, 192), (40, 4), 4, (34, 0, 50, 14)),
        ((384, 384), (160, 240), 16, (136, 216, 200, 280)),
        ((48, 48), (20, 30), 2, (17, 27, 25, 35)),
    ],
)
def test_boxes_are_in_the_pictures_own_pixels(
    size: tuple[int, int],
    at: tuple[int, int],
    side: int,
    box: tuple[float, ...],
) -> None:
    ((face,),) = reader().read([picture(size, at, side=side)])
    assert face.box == pytest.approx(box, abs=0.5)


def test_pictures_of_all_sizes_are_read_in_one_pass_and_keep_their_faces() -> None:
    passes = []

    class Counting(RedDetector):
        def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            passes.append(pictures.shape)
            return super().forward(pictures)

    images = [picture((96, 96), (40, 60)), picture((97, 400), (4, 4)), picture((300, 100))]
    found = reader(Counting()).read(images)
    assert [len(faces) for faces in found] == [1, 1, 0]
    assert len(passes) == 1


def test_faces_come_from_left_to_right() -> None:
    ((first, second),) = reader().read([picture((96, 96), (72, 8), (8, 40))])
    assert first.box[0] < second.box[0]


@pytest.mark.parametrize("size", [(1, 1), (64, 2), (50, 40)])
def test_no_face_gives_nothing(size: tuple[int, int]) -> None:
    assert reader().read([picture(size)]) == [()]


def test_no_picture_gives_nothing() -> None:
    assert reader().read([]) == []


def test_what_lies_in_the_padding_is_no_face() -> None:
    class Everywhere(RedDetector):
        def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits, sides = super().forward(pictures)
            return torch.full_like(logits, 5.0), sides

    square, wide = reader(Everywhere()).read([picture((96, 96)), picture((192, 96))])
    assert square
    assert all(face.box[2] <= 96 for face in square)
    assert any(face.box[0] > 96 for face in wide)


def test_crops_are_the_square_around_a_box() -> None:
    pictures = torch.zeros(2, 3, 64, 96)
    pictures[1, :, 20:40, 50:70] = 1.0
    boxes = torch.tensor([[50.0, 20, 70, 40], [50, 20, 70, 40]])
    empty, full = crops(pictures, torch.tensor([0, 1]), boxes, 8, 1.0)
    assert empty.sum() == 0
    assert torch.allclose(full, torch.ones_like(full))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A face reader that learned nothing."""
    write(FaceDetector(), tmp_path, DETECTOR)
    write(FaceClassifier(FacesConfig.model_validate_json((tmp_path / CONFIG).read_text())),
          tmp_path, CLASSIFIER)  # fmt: skip
    return tmp_path


def test_a_folder_loads(folder: Path) -> None:
    assert len(FaceReader.load(folder, "cpu").read([picture((96, 96))])) == 1


@pytest.mark.parametrize("name", [CONFIG, DETECTOR, CLASSIFIER])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_what_is_missing_or_damaged_is_said(folder: Path, name: str, damage: str) -> None:
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:20])
    with pytest.raises(ScrutinyUnavailable, match="make mini-models"):
        FaceReader.load(folder, "cpu")


def test_weights_that_are_not_finite_do_not_load(folder: Path) -> None:
    broken = FaceDetector()
    nn.init.constant_(broken.join.weight, torch.nan)
    write(broken, folder, DETECTOR)
    with pytest.raises(ScrutinyUnavailable, match="not finite"):
        FaceReader.load(folder, "cpu")


@pytest.mark.parametrize("part", ["detector", "classifier"])
def test_numbers_that_are_not_finite_are_an_error(part: str) -> None:
    whole = reader(FaceDetector() if part == "detector" else None)
    broken = copy.deepcopy(whole._detector.join if part == "detector" else whole._classifier.heads)
    for parameter in broken.parameters():
        nn.init.constant_(parameter, torch.nan)
    if part == "detector":
        whole._detector.join = broken  # type: ignore[assignment]
    else:
        whole._classifier.heads = broken  # type: ignore[assignment]
    with pytest.raises(ModelFailed, match="not finite"):
        whole.read([picture((96, 96), (40, 60))])


def test_a_picture_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    picture((96, 96)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    with Image.open(tmp_path / "cut.png") as cut, pytest.raises(UnreadablePicture):
        reader().read([cut])
