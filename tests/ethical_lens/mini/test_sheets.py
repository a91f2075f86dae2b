"""Contact sheets: of every model, and of the same seeds without and with alignment."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ethical_lens.mini import comparison, model_sheets, weights
from ethical_lens.mini.rebuild import PARTS, Part, write_sheet

pytestmark = pytest.mark.models


@pytest.mark.parametrize("part", [part for part in PARTS if part.show], ids=lambda part: part.name)
def test_a_model_shows_pictures_and_what_it_makes_of_them(
    part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_sheets, "_COUNT", 4)
    assert part.show is not None

    tiles = list(part.show(weights.FOLDER))
    file = write_sheet(part, weights.FOLDER, tmp_path)

    assert [picture.size for picture, _ in tiles] == [(96, 96)] * 4
    assert all(text for _, text in tiles)
    assert file == tmp_path / f"{part.name}.png"
    with Image.open(file) as sheet:
        assert sheet.width > 8 * 96


def test_a_part_without_a_sheet_writes_none(tmp_path: Path) -> None:
    assert write_sheet(PARTS[0], weights.FOLDER, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_both_sides_show_the_same_seeds_and_a_blocked_prompt_neither() -> None:
    sheet = np.asarray(comparison.comparison_sheet(["a doctor in the hospital", "a nude child"]))

    top, height = 12 + 18 + 18, 96
    painted, blocked = sheet[top : top + height], sheet[top + 132 : top + 132 + height]
    left, right = painted[:, 12 : 12 + 396], painted[:, 24 + 400 : 24 + 400 + 396]
    assert left.std() > 20
    assert right.std() > 20
    assert (left != right).any()
    assert (blocked == 255).all()
