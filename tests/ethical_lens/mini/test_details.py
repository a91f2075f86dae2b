"""Where a drawing has details: nowhere, around faces and bodies, on stand-ins."""

import random
from pathlib import Path

import numpy as np
import pytest

from ethical_lens.mini.training import drawings as drawings_module
from ethical_lens.mini.training.details import CELLS, detail_map, detail_maps
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.sampling import balanced_scene
from ethical_lens.mini.world.scene import Place, Scene, StandIn

pytestmark = pytest.mark.models


def test_a_scene_without_people_has_none() -> None:
    assert not detail_map(Scene(1, place=Place.PARK)).any()


def test_every_region_is_covered_and_most_of_the_picture_is_not() -> None:
    rng = random.Random(3)
    scenes = [scene for scene in (balanced_scene(rng) for _ in range(60)) if scene.people]
    for scene in scenes:
        cells = detail_map(scene)
        pixels = cells.repeat(4, axis=0).repeat(4, axis=1)
        for mask in draw(scene).masks.values():
            assert pixels[mask].all()
    assert np.mean([detail_map(scene).mean() for scene in scenes]) < 0.5


@pytest.mark.parametrize("stand_in", StandIn)
def test_a_stand_in_is_covered(stand_in: StandIn) -> None:
    with_one = Scene(2, place=Place.STREET, stand_ins=frozenset({stand_in}))

    cells = detail_map(with_one)

    assert 0.05 < cells.mean() < 0.9


def test_maps_are_kept_in_the_order_of_the_drawings(tmp_path: Path) -> None:
    drawings = Drawings(tmp_path, "balanced", 5, 12)

    maps = detail_maps(drawings)

    assert maps.shape == (12, CELLS, CELLS)
    assert all((maps[i] == detail_map(scene)).all() for i, scene in enumerate(drawings))
    assert (detail_maps(drawings) == maps).all()


def test_a_change_of_the_world_is_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Drawings(tmp_path, "balanced", 5, 2).file("pictures")
    monkeypatch.setattr(drawings_module, "world_version", lambda: "another")

    after = Drawings(tmp_path, "balanced", 5, 2).file("pictures")

    assert before.exists()
    assert after.exists()
    assert after != before
