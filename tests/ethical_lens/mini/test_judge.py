"""The judge: a few steps of training, loading, and reading."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ethical_lens.mini.bars import judge as bar
from ethical_lens.mini.judge import (
    CELL,
    CELLS,
    NUDE,
    ROLES,
    WEIGHTS,
    Judge,
    JudgeError,
    JudgeNetwork,
    People,
    Whole,
)
from ethical_lens.mini.training import judge
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.sampling import FIGURE_LOOKS
from ethical_lens.mini.world.scene import (
    GENDERS,
    RACES,
    Figure,
    Kind,
    Person,
    Place,
    Style,
)
from ethical_lens.results import Concept, LifeStage

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mini")


@pytest.fixture(scope="module")
def models(work: Path) -> Path:
    """The folder of models, its judge trained for two steps."""
    judge.train_judge(work, work / "models" / "judge", steps=2, count=32, batch=8)
    return work / "models"


class Told(JudgeNetwork):
    """Answers what it is told: of cells (picture, row, column) the roles."""

    def __init__(self, roles: dict[tuple[int, int, int], object]) -> None:
        super().__init__()
        self.told = roles

    def forward(self, pictures: torch.Tensor) -> tuple[People, Whole]:
        people, whole = super().forward(pictures)
        people.score.fill_(-9.0)
        for (picture, row, column), role in self.told.items():
            people.score[picture, 0, row, column] = 3.0
            people.role[picture, :, row, column] = 0.0
            people.role[picture, ROLES.index(role), row, column] = 5.0  # type: ignore[arg-type]
        return people, whole


def test_what_was_trained_loads_and_is_measured(models: Path) -> None:
    measured = bar.measure(models, 24)
    assert {"people", "place", "style", "single/kind", "all/gender"} <= set(measured)
    assert all(0 <= share.value <= 1 for share in measured.values())


def test_weights_are_small(models: Path) -> None:
    assert (models / "judge" / WEIGHTS).stat().st_size < 2_500_000


def test_saved_weights_judge_the_same_again(models: Path) -> None:
    images = [Image.new("RGB", (96, 96), (200, 90, 30))]
    first, second = (Judge.load(models / "judge").judge(images) for _ in range(2))
    assert first == second


def test_an_interrupted_training_ends_the_same(work: Path, tmp_path: Path) -> None:
    (tmp_path / "drawings").symlink_to(work / "drawings")

    def run(out: str) -> dict[str, torch.Tensor]:
        judge.train_judge(tmp_path, tmp_path / out, steps=4, count=32, batch=4)
        return load_file(tmp_path / out / WEIGHTS)

    whole = run("whole")
    (tmp_path / "judge.state.pt").unlink()
    real, calls = judge.moved, []

    def stopping(*args: object, **settings: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise InterruptedError
        return real(*args, **settings)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ethical_lens.mini.training.loop._SAVE_EVERY_SECONDS", -1.0)
        patch.setattr(judge, "moved", stopping)
        with pytest.raises(InterruptedError):
            run("parts")
    parts = run("parts")
    assert all(torch.equal(value, parts[key]) for key, value in whole.items())


def test_people_are_read_where_they_are() -> None:
    cells = {(0, 5, 8): Kind.CHEF, (0, 5, 2): NUDE, (1, 3, 6): Figure.ORSK}
    first, second = Judge(Told(cells)).judge(
        [Image.new("RGB", (192, 96)), Image.new("RGB", (96, 96))]
    )
    nude, chef = first.people
    assert (nude.kind, nude.nude, nude.figure) == (None, True, None)
    assert (chef.kind, chef.nude, chef.figure) == (Kind.CHEF, False, None)
    assert (chef.x, chef.y) == ((8 + 0.5) * CELL * 2, (5 + 0.5) * CELL)
    (orsk,) = second.people
    assert (orsk.kind, orsk.nude, orsk.figure) == (None, False, Figure.ORSK)
    assert second.main == orsk
    assert chef.gender in GENDERS
    assert chef.race in RACES
    assert isinstance(chef.stage, LifeStage)


def test_nobody_is_nobody() -> None:
    (judgement,) = Judge(Told({})).judge([Image.new("L", (40, 300))])
    assert judgement.people == ()
    assert judgement.main is None
    assert set(judgement.concepts) == set(Concept)
    assert set(judgement.figures) == set(Figure)
    assert judgement.place is None or isinstance(judgement.place, Place)
    assert isinstance(judgement.style, Style)


def test_no_picture_gives_nothing() -> None:
    assert Judge(Told({})).judge([]) == []


def test_numbers_that_are_not_finite_are_an_error() -> None:
    network = JudgeNetwork()
    torch.nn.init.constant_(network.from_coarse.weight, torch.nan)
    with pytest.raises(JudgeError, match="not finite"):
        Judge(network).judge([Image.new("RGB", (96, 96))])


def test_missing_and_foreign_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="make mini-models"):
        Judge.load(tmp_path)
    save_file({"a": torch.zeros(1)}, tmp_path / WEIGHTS)
    with pytest.raises(JudgeError, match="make mini-models"):
        Judge.load(tmp_path)


def test_labels_leave_out_what_does_not_show(tmp_path: Path) -> None:
    scenes = Drawings(tmp_path, "balanced", 5, 64)
    who, whole = judge.labels(scenes)
    for scene, people, marks in zip(scenes, who.tolist(), whole.tolist(), strict=True):
        assert sum(row[0] >= 0 for row in people) == len(scene.people)
        assert {c for c, mark in zip(Concept, marks, strict=False) if mark} == scene.concepts
        for person, row in zip(scene.people, people, strict=False):
            _check_labels(person, row)


def _check_labels(person: Person, row: list[int]) -> None:
    if person.figure is not None:
        assert row == [ROLES.index(person.figure), -1, -1, -1]
        assert person.figure in FIGURE_LOOKS
    else:
        assert ROLES[row[0]] == (NUDE if person.nude else person.kind)
        assert RACES[row[2]] == person.race


def test_the_loss_is_smallest_for_the_truth() -> None:
    at = torch.full((1, 4, 2), torch.nan)
    at[0, 0] = torch.tensor([48.0, 44.0])
    who = torch.full((1, 4, 4), -1)
    who[0, 0] = torch.tensor([2, 1, 0, 3])
    sizes = (1, len(ROLES), len(GENDERS), len(RACES), len(LifeStage))
    right = People(*(torch.zeros(1, size, CELLS, CELLS) for size in sizes))
    for part, value in zip(right[1:], (2, 1, 0, 3), strict=True):
        part[:, value] = 9.0
    right.score.fill_(-9.0)
    right.score[0, 0, 5, 5:7] = 3.0
    nobody = right._replace(score=torch.full_like(right.score, -9.0))
    wrong = right._replace(stage=-right.stage)
    best = judge._people_loss(right, who, at)
    assert best < judge._people_loss(nobody, who, at)
    assert best < judge._people_loss(wrong, who, at)
