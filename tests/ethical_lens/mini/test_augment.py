"""Pictures made worse."""

import pytest
import torch

from ethical_lens.mini.training.augment import moved, worsened

pytestmark = pytest.mark.models


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_points_go_where_the_picture_goes() -> None:
    pictures = torch.zeros(16, 3, 96, 96)
    pictures[:, :, 30:33, 60:63] = 1.0
    after, move = moved(pictures, generator())
    told = move.points(torch.full((16, 1, 2), 31.5) + torch.tensor([30.0, 0.0]))[:, 0]
    light = after[:, 0]
    ys, xs = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(96) + 0.5, indexing="ij")
    total = light.sum((1, 2))
    seen = torch.stack([(light * xs).sum((1, 2)), (light * ys).sum((1, 2))], 1) / total[:, None]
    assert (seen - told).abs().max() < 0.3
    assert (told - told[0]).abs().max() > 1


def test_the_same_generator_gives_the_same_pictures() -> None:
    pictures = torch.rand(4, 3, 96, 96, generator=generator())
    assert torch.equal(worsened(pictures, generator(2)), worsened(pictures, generator(2)))
    assert not torch.equal(worsened(pictures, generator(2)), worsened(pictures, generator(3)))


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_pictures_stay_pictures(strength: float) -> None:
    pictures = torch.rand(8, 3, 90, 50, generator=generator())
    after = worsened(pictures, generator(), strength=strength)
    assert after.shape == pictures.shape
    assert after.min() >= 0
    assert after.max() <= 1


def test_no_strength_changes_nothing() -> None:
    pictures = torch.rand(8, 3, 96, 96, generator=generator())
    assert torch.allclose(worsened(pictures, generator(), strength=0.0), pictures, atol=1e-6)
