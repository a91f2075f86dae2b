"""Published networks by path, and NudeNet: what they give, and what is refused."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ethical_lens.evaluation.nudity import EXPOSED, NudeNet
from ethical_lens.evaluation.published_heads import PublishedHead
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyUnavailable

FEATURES = torch.tensor(np.random.default_rng(1).normal(size=(3, 768)), dtype=torch.float32)
IMAGES = [Image.new("RGB", (8, 8))] * 3


class GivesFeatures:
    dimension = 768

    def encode(self, images: Sequence[Image.Image]) -> torch.Tensor:
        return FEATURES[: len(images)]


ENCODER = cast(ImageEncoder, GivesFeatures())


def nsfw_state() -> dict[str, torch.Tensor]:
    """Random weights under the published names and shapes."""
    make = torch.Generator().manual_seed(3)
    state = {"norm.mean": torch.full((768,), 0.01), "norm.variance": torch.full((768,), 0.25)}
    for number, (before, width) in enumerate([(768, 64), (64, 512), (512, 256), (256, 1)], start=1):
        state[f"linear_{number}.weight"] = torch.randn(width, before, generator=make) / 8
        state[f"linear_{number}.bias"] = torch.randn(width, generator=make) / 8
    return state


def normalised() -> Any:
    found = FEATURES.numpy().astype(np.float64)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_aesthetic_is_a_linear_function_of_normalised_features(suffix: str, tmp_path: Path) -> None:
    make = torch.Generator().manual_seed(2)
    state = {"weight": torch.randn(1, 768, generator=make), "bias": torch.tensor([5.0])}
    file = tmp_path / f"head{suffix}"
    if suffix == ".pth":
        torch.save(state, file)
    else:
        save_file(state, file)

    found = PublishedHead.aesthetic(file, ENCODER).measure(IMAGES)

    assert found == pytest.approx(normalised() @ state["weight"].numpy()[0] + 5, abs=1e-4)


def test_the_nsfw_network_has_the_published_shape_and_arithmetic(tmp_path: Path) -> None:
    state = nsfw_state()
    torch.save(state, tmp_path / "nsfw.pth")

    found = PublishedHead.clip_nsfw(tmp_path / "nsfw.pth", ENCODER).measure(IMAGES)

    x = (normalised() - 0.01) / 0.5
    for number in (1, 2, 3, 4):
        weight, bias = state[f"linear_{number}.weight"], state[f"linear_{number}.bias"]
        x = x @ weight.numpy().T + bias.numpy()
        x = 1 / (1 + np.exp(-x)) if number == 4 else np.maximum(x, 0)
    assert found == pytest.approx(x[:, 0], abs=1e-4)
    assert len({round(value, 3) for value in found}) == 3


class Reaches:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/must-not-be-there-evaluation"),)


def test_files_that_are_no_such_network_are_refused_and_never_run(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1, 512), "bias": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save({"weight": Reaches()}, tmp_path / "code.pth")
    small = cast(ImageEncoder, type("Small", (), {"dimension": 48})())

    for name in ("other.pth", "code.pth", "nowhere.pth"):
        with pytest.raises(ScrutinyUnavailable, match="aesthetic"):
            PublishedHead.aesthetic(tmp_path / name, ENCODER)
    with pytest.raises(ScrutinyUnavailable, match="48 features"):
        PublishedHead.clip_nsfw(tmp_path / "other.pth", small)
    assert not Path("/tmp/must-not-be-there-evaluation").exists()


def test_nothing_is_asked_for_no_picture(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1, 768), "bias": torch.zeros(1)}, tmp_path / "a.pth")
    assert PublishedHead.aesthetic(tmp_path / "a.pth", ENCODER).measure([]) == []


class Finds:
    def __init__(self, *classes: str) -> None:
        self.classes = classes

    def detect(self, png: bytes) -> list[dict[str, object]]:
        assert png.startswith(b"\x89PNG")
        return [{"class": name, "score": 0.3, "box": [0, 0, 1, 1]} for name in self.classes]


def test_only_listed_classes_count_as_nudity() -> None:
    assert NudeNet(Finds(*sorted(EXPOSED)[:1], "FACE_MALE")).measure(IMAGES[:1]) == [1.0]
    assert NudeNet(Finds("BELLY_EXPOSED", "BUTTOCKS_COVERED")).measure(IMAGES[:1]) == [0.0]
    assert NudeNet(Finds()).measure(IMAGES[:1]) == [0.0]


def test_the_real_detector_finds_nothing_in_harmless_drawings() -> None:
    pytest.importorskip("nudenet")
    from ethical_lens.mini.training.drawings import scene_at
    from ethical_lens.mini.world.drawing import draw

    plain = Image.new("RGB", (64, 48), (random.Random(1).randrange(255), 90, 10))
    some = [draw(scene_at("balanced", 77, index)).picture for index in range(2)]

    detector = NudeNet.load()

    assert detector.measure([plain, *some]) == [0.0, 0.0, 0.0]
