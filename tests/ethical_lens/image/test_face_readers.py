"""Face readers put together from the region finder and a reader of attributes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import resnet34

from ethical_lens.image.attributes import (
    FAIRFACE_STAGES,
    GENDERS,
    RACES,
    STAGES,
    ClipAttributes,
    FairFaceAttributes,
)
from ethical_lens.image.errors import ModelFailed, ScrutinyUnavailable
from ethical_lens.image.face_readers import RegionFaceReader, load_face_reader, regions_of
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.readings import Attributes, Distribution, FaceReading
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.mini.bars.faces import overlap
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.scene import Person, Place, Scene
from ethical_lens.policy import AttributePools
from ethical_lens.results import Attribute, LifeStage
from ethical_lens.sources import MINI, ModelSources

PEOPLE = (
    Person("female", "Black", LifeStage.YOUNG_ADULTHOOD),
    Person("male", "White", LifeStage.OLD_AGE),
)


@pytest.fixture(scope="module")
def mini() -> ModelSources:
    return ModelSources.read(MINI)


@pytest.fixture(scope="module")
def mini_finder(mini: ModelSources) -> RegionFinder:
    return RegionFinder.load(mini.regions, "cpu")


class Says:
    """Says the same of every crop, and keeps the crops."""

    def __init__(self, young: float = 0.0) -> None:
        self.young, self.crops = young, list[Image.Image]()

    def read(self, crops: Sequence[Image.Image]) -> list[Attributes]:
        self.crops += crops
        stages = {LifeStage.CHILDHOOD: self.young, LifeStage.OLD_AGE: 1 - self.young}
        one = (Distribution({"male": 1.0}), Distribution({"White": 1.0}), Distribution(stages))
        return [one for _ in crops]


def test_regions_are_told_apart() -> None:
    mask = np.zeros((6, 8), dtype=np.bool_)
    mask[0:2, 0:3] = True
    mask[2, 2] = True
    mask[3, 3] = True  # touches by a corner only
    sizes = sorted(len(region) for region in regions_of(mask))
    assert sizes == [1, 7]
    assert list(regions_of(np.zeros((4, 4), dtype=np.bool_))) == []


def test_faces_are_found_where_they_are(mini_finder: RegionFinder) -> None:
    shown, empty = draw(Scene(3, place=Place.PARK, people=PEOPLE)), draw(Scene(3, place=Place.PARK))
    says = Says()
    large = shown.picture.resize((288, 288))

    first, nobody, second = RegionFaceReader(mini_finder, says).read(
        [shown.picture, empty.picture, large]
    )

    assert (len(first), nobody, len(second)) == (2, (), 2)
    for reading, face in zip(first, sorted(shown.faces, key=lambda f: f.box), strict=True):
        assert overlap(reading.box, face.box) > 0.4
        assert 0.5 < reading.score <= 1
    assert second[0].box[2] > 2 * first[0].box[2]
    assert [crop.width == crop.height for crop in says.crops] == [True] * 4


def test_attributes_that_are_not_finite_are_an_error(mini_finder: RegionFinder) -> None:
    picture = draw(Scene(3, place=Place.PARK, people=PEOPLE)).picture
    with pytest.raises(ModelFailed, match="not finite"):
        RegionFaceReader(mini_finder, Says(young=float("nan"))).read([picture])


def reading(**stages: float) -> FaceReading:
    return FaceReading(
        (1.4, 2.6, 9.5, 12.0), 0.91,
        Distribution({"male": 0.2, "female": 0.8}), Distribution({"White": 1.0}),
        Distribution({stage: stages.get(stage.name, 0.0) for stage in LifeStage}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stages", "young"),
    [
        ({"CHILDHOOD": 0.6, "OLD_AGE": 0.4}, True),
        ({"ADOLESCENCE": 0.4, "YOUNG_ADULTHOOD": 0.3, "OLD_AGE": 0.3}, True),
        ({"INFANCY": 0.25, "ADOLESCENCE": 0.25, "YOUNG_ADULTHOOD": 0.5}, True),
        ({"ADOLESCENCE": 0.45, "YOUNG_ADULTHOOD": 0.55}, False),
        ({"MIDDLE_AGE": 1.0}, False),
    ],
)
def test_who_is_taken_for_under_twenty(stages: dict[str, float], young: bool) -> None:
    assert reading(**stages).under_twenty is young
    assert reading(**stages).for_record().under_twenty is young


def test_what_is_recorded() -> None:
    record = reading(MIDDLE_AGE=0.9, OLD_AGE=0.1).for_record()
    assert record.model_dump(mode="json") == {
        "box": [1, 3, 10, 12], "score": 0.91, "gender": "female", "race": "White",
        "stage": "middle age", "under_twenty": False,
        "certainty": {"gender": 0.8, "race": 1.0, "age": 0.9},
    }  # fmt: skip
    assert set(record.certainty) == set(Attribute)


def test_the_texts_are_about_all_that_can_be_drawn() -> None:
    pools = AttributePools()
    assert (tuple(GENDERS), tuple(RACES), tuple(STAGES)) == (pools.gender, pools.race, pools.age)


def test_the_encoder_of_scrutiny_reads_faces_where_there_is_no_reader(
    sources: ModelSources,
    scrutineer: Scrutineer,
    region_finder: RegionFinder,
    pictures: list[Image.Image],
) -> None:
    assert sources.faces is None
    reader = load_face_reader(sources, scrutineer, region_finder)
    assert isinstance(reader, RegionFaceReader)
    (odds,) = ClipAttributes.load(sources.clip, scrutineer.encoder).read(pictures[:1])
    gender, race, stage = (part.probabilities for part in odds)
    assert (set(gender), set(race), set(stage)) == (set(GENDERS), set(RACES), set(STAGES))
    for some in (gender, race, stage):
        assert sum(some.values()) == pytest.approx(1, abs=1e-5)
    assert len(reader.read(pictures)) == len(pictures)


def test_the_miniature_models_bring_their_own(
    mini: ModelSources, scrutineer: Scrutineer, mini_finder: RegionFinder
) -> None:
    assert isinstance(load_face_reader(mini, scrutineer, mini_finder), FaceReader)


@pytest.fixture(scope="module")
def fairface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FairFace's network with random weights that always says: race 4, male, 30 to 39."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = resnet34(num_classes=18)
    network.fc.weight.data.zero_()
    network.fc.bias.data.zero_()
    network.fc.bias.data[[3, 7, 9 + 3]] = 5.0
    file = tmp_path_factory.mktemp("fairface") / "res34.pt"
    torch.save(network.state_dict(), file)
    return file


def test_fairface_in_the_tables_of_this_project(
    fairface: Path,
    sources: ModelSources,
    scrutineer: Scrutineer,
    region_finder: RegionFinder,
    pictures: list[Image.Image],
) -> None:
    given = sources.model_copy(update={"faces": fairface})
    assert isinstance(load_face_reader(given, scrutineer, region_finder), RegionFaceReader)

    ((gender, race, stage),) = FairFaceAttributes.load(fairface, "cpu").read(pictures[:1])

    assert (gender.best, race.best, stage.best) == ("male", "Asian", LifeStage.YOUNG_ADULTHOOD)
    classes = torch.zeros(9)
    classes[3] = 5.0
    expected = classes.softmax(0)
    assert stage.certainty == pytest.approx((expected[3] + expected[4]).item(), abs=1e-5)
    assert len(FAIRFACE_STAGES) == 9


@pytest.mark.parametrize("damage", ["cut", "other", "nan"])
def test_weights_that_are_not_fairfaces(fairface: Path, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "damaged.pt"
    if damage == "cut":
        file.write_bytes(fairface.read_bytes()[:1000])
    elif damage == "other":
        file = tmp_path / "damaged.safetensors"
        save_file({"weight": torch.zeros(3)}, file)
    else:
        state = torch.load(fairface, weights_only=True)
        state["fc.bias"][0] = torch.nan
        torch.save(state, file)
    with pytest.raises(ScrutinyUnavailable, match="faces"):
        FairFaceAttributes.load(file, "cpu")
