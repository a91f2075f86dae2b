"""The models in the package: the very files that were made, and as good as they must be."""

import math
import shutil
from pathlib import Path

import pytest

from ethical_lens.mini import weights
from ethical_lens.mini.rebuild import PARTS, Part, chosen

COUNT = 200
INSTALLED = [
    part for part in PARTS if part.measure is not None and (weights.FOLDER / part.folder).exists()
]


def test_the_files_are_those_of_the_manifest() -> None:
    weights.verify()


@pytest.mark.skipif(not INSTALLED, reason="no model has been trained yet")
def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, copy)
    file = next(copy.rglob("*.safetensors"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    with pytest.raises(weights.DamagedWeights, match=file.name):
        weights.verify(copy)


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, copy)
    (copy / "models.json").unlink()

    with pytest.raises(weights.DamagedWeights, match=r"models\.json"):
        weights.verify(copy)


def test_all_weights_together_are_small() -> None:
    assert sum(file.stat().st_size for file in weights.FOLDER.rglob("*") if file.is_file()) < 30e6


@pytest.mark.parametrize("part", INSTALLED, ids=lambda part: part.name)
def test_an_installed_model_reaches_its_bars_on_a_small_sample(part: Part) -> None:
    """Less than the bar by what chance takes from a sample of this size, three deviations."""
    assert part.measure is not None
    shares = part.measure(weights.FOLDER, COUNT)
    for name, bar in part.bars.items():
        asked = COUNT / 12  # of the rarest names, such as one concept
        assert shares[name] > bar - 3 * math.sqrt(bar * (1 - bar) / asked), name


def test_parts_are_chosen_by_name_and_in_order() -> None:
    assert [part.name for part in chosen(["heads", "clip"])] == ["clip", "heads"]
    assert chosen([]) == list(PARTS)
    with pytest.raises(ValueError, match=r"no part is named painters; there are .*painter"):
        chosen(["painters"])
