"""The models in the package: the very files that were made, and as good as they must be."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ethical_lens import sources
from ethical_lens.manifest import DamagedWeights, verify
from ethical_lens.mini import weights
from ethical_lens.mini.rebuild import PARTS, Part
from ethical_lens.sources import MINI, ModelSources, SourcesError

COUNT = 200
ROOT = Path(__file__).resolve().parents[3]
MEASURED = list({part.folder: part for part in PARTS if part.measure}.values())
"""Of two parts in one folder the last, which left it as it is."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package's weights, to damage."""
    folder = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, folder)
    return folder


def test_the_files_are_those_of_the_manifest() -> None:
    verify(weights.FOLDER)


def test_one_changed_byte_is_found_before_anything_is_loaded(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next(copy.rglob("*.safetensors"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    with pytest.raises(DamagedWeights, match=file.name):
        verify(copy)
    monkeypatch.setitem(sources.PRESETS, MINI, copy / "models.json")
    with pytest.raises(SourcesError, match=rf"{file.name}.*make mini-models"):
        ModelSources.read(MINI)


def test_a_missing_file_is_found(copy: Path) -> None:
    (copy / "models.json").unlink()

    with pytest.raises(DamagedWeights, match=r"models\.json"):
        verify(copy)


def test_without_a_manifest_nothing_is_loaded(copy: Path) -> None:
    (copy / "manifest.json").unlink()

    with pytest.raises(DamagedWeights, match=r"models\.json"):
        verify(copy)


def test_all_weights_together_are_small() -> None:
    assert sum(file.stat().st_size for file in weights.FOLDER.rglob("*") if file.is_file()) < 30e6


def missed(part: Part, models: Path, count: int) -> list[str]:
    """Names of what is less than the bar by more than chance takes from a sample of this size,
    three deviations. Where a bar is missed, and docs/models.md says so, it is what was measured.
    """
    assert part.measure is not None
    shares, recorded = part.measure(models, count), weights.measured()[part.folder]
    found = []
    for name, bar in part.bars.items():
        least, share = min(bar, recorded[name]), shares.get(name)
        if share is None:  # nothing was found that could be asked for it
            found.append(name)
            continue
        # A deviation of no less than one answer: of some names there are few.
        deviation = max(math.sqrt(least * (1 - least) / share.answers), 1 / count)
        if share.value < least - 3 * deviation:
            found.append(f"{name} {share}")
    return found


@pytest.mark.parametrize("part", MEASURED, ids=lambda part: part.name)
def test_an_installed_model_reaches_its_bars_on_a_small_sample(part: Part) -> None:
    assert missed(part, weights.FOLDER, COUNT) == []


@pytest.mark.parametrize("part", MEASURED, ids=lambda part: part.name)
def test_a_broken_checkpoint_misses_them(part: Part, copy: Path) -> None:
    """The numbers of every tensor in another order: the files load, and that is all."""
    chance = torch.Generator().manual_seed(1)
    for file in (copy / part.folder).rglob("*.safetensors"):
        state = load_file(file)
        for name, value in state.items():
            order = torch.randperm(value.numel(), generator=chance)
            state[name] = value.flatten()[order].view(value.shape)
        save_file(state, file, metadata={"format": "pt"})

    assert missed(part, copy, 32 if "pipeline" in (part.folder, *part.made_of) else 100)


def test_what_misses_its_bar_is_named_in_the_documentation() -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for part in MEASURED:
        for name, bar in part.bars.items():
            share = weights.measured()[part.folder][name]
            assert share >= bar or f"`{part.folder}` {name} {share:.3f}" in page


def test_what_was_measured_is_installed_with_the_weights(tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "weights"
    (models / "heads").mkdir(parents=True)
    (models / "heads" / "nude.safetensors").write_bytes(b"x")
    (models / "heads" / "nude.safetensors").chmod(0o600)
    folder.mkdir()
    weights.record(models, "clip", {"retrieval": 0.98765})
    weights.record(models, "heads", {"nude/recall": 0.98765})
    weights.record(folder, "judge", {"people": 1.0})

    weights.install(models, "heads", folder)

    assert weights.measured(folder) == {
        "judge": {"people": 1.0}, "heads": {"nude/recall": 0.9877},
    }  # fmt: skip
    verify(folder)
    installed = folder / "heads" / "nude.safetensors"
    assert installed.read_bytes() == b"x"
    assert installed.stat().st_mode & 0o777 == 0o644


def test_what_was_not_trained_replaces_nothing(tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "weights"
    (folder / "heads").mkdir(parents=True)
    (folder / "heads" / "old").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="has no heads: train it first"):
        weights.install(models, "heads", folder)
    assert (folder / "heads" / "old").exists()
