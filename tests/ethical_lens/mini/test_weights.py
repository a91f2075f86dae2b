"""The models in the package: the very files that were made, and as good as they must be."""

import math
import shutil
from pathlib import Path

import pytest

from ethical_lens.mini import weights
from ethical_lens.mini.rebuild import PARTS, Part, chosen

COUNT = 200
ROOT = Path(__file__).resolve().parents[3]
MEASURED = [part for part in PARTS if part.measure is not None]


def test_the_files_are_those_of_the_manifest() -> None:
    weights.verify()


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


@pytest.mark.parametrize("part", MEASURED, ids=lambda part: part.name)
def test_an_installed_model_reaches_its_bars_on_a_small_sample(part: Part) -> None:
    """Less than the bar by what chance takes from a sample of this size, three deviations.

    Where a bar is missed, and docs/models.md says so, it is what was measured at installation.
    """
    assert part.measure is not None
    shares, recorded = part.measure(weights.FOLDER, COUNT), weights.measured()[part.name]
    for name, bar in part.bars.items():
        least = min(bar, recorded[name])
        asked = COUNT / 12  # of the rarest names, such as one concept
        assert shares[name] > least - 3 * math.sqrt(least * (1 - least) / asked), name


def test_what_misses_its_bar_is_named_in_the_documentation() -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for part in MEASURED:
        for name, bar in part.bars.items():
            share = weights.measured()[part.name][name]
            assert share >= bar or f"`{part.name}` {name} {share:.3f}" in page


def test_parts_are_chosen_by_name_and_in_order() -> None:
    assert [part.name for part in chosen(["heads", "clip"])] == ["clip", "heads"]
    assert chosen([]) == list(PARTS)
    with pytest.raises(ValueError, match=r"no part is named painters; there are .*painter"):
        chosen(["painters"])


def test_what_was_measured_is_installed_with_the_weights(tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "weights"
    (models / "heads").mkdir(parents=True)
    (models / "heads" / "nude.safetensors").write_bytes(b"x")
    (models / "heads" / "nude.safetensors").chmod(0o600)
    folder.mkdir()
    weights.record(models, "clip", {"retrieval": 0.98765})
    weights.record(models, "heads", {"nude/recall": 1.0})
    weights.record(models, "tokenizer", {})

    weights.install(models, ["heads"], folder)

    assert weights.measured(folder) == {
        "clip": {"retrieval": 0.9877}, "heads": {"nude/recall": 1.0},
    }  # fmt: skip
    weights.verify(folder)
    installed = folder / "heads" / "nude.safetensors"
    assert installed.read_bytes() == b"x"
    assert installed.stat().st_mode & 0o777 == 0o644


def test_what_was_not_trained_replaces_nothing(tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "weights"
    for where in (models / "clip", folder / "clip", folder / "heads"):
        where.mkdir(parents=True)
    (folder / "clip" / "old").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="has no heads: train it first"):
        weights.install(models, ["clip", "heads"], folder)
    assert (folder / "clip" / "old").exists()
