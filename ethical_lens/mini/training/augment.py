"""Pictures made worse, as a generator makes them: blurred, noisy, off in colour, moved.

Pictures are float32 (n, 3, h, w), 0 to 1. All chance comes from the generator that is given.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Move:
    """Where everything went: a point at p (pixels) is now at `p * scale + shift`.

    `scale` is (n,), `shift` (n, 2) in pixels, x before y.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def points(self, points: torch.Tensor) -> torch.Tensor:
        """(n, k, 2) pixels, x before y, of the picture before: the same of the picture after."""
        return points * self.scale[:, None, None] + self.shift[:, None]


def moved(
    pictures: torch.Tensor, generator: torch.Generator, *, strength: float = 1.0
) -> tuple[torch.Tensor, Move]:
    """Each picture enlarged or shrunk by up to 12 % and shifted by up to 6 % of its side.

    What comes in from outside repeats the border.
    """
    n, _, height, width = pictures.shape
    size = torch.tensor([width, height], dtype=torch.float32)
    scale = 1 + 0.12 * strength * _uniform(generator, n)
    drift = 0.06 * strength * _uniform(generator, n, 2)  # in parts of the side
    # A grid says where each new pixel comes from, in -1 to 1 about the centre.
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / scale
    theta[:, :, 2] = -2 * drift / scale[:, None]
    grid = functional.affine_grid(theta, list(pictures.shape), align_corners=False)
    out = functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return out, Move(scale, (1 - scale[:, None]) * size / 2 + drift * size)


def worsened(
    pictures: torch.Tensor, generator: torch.Generator, *, strength: float = 1.0
) -> torch.Tensor:
    """Each picture with its own tint, contrast, saturation, blur, coarse blocks and noise.

    At a strength of 1 channels are off by up to 13 %, a blur has a sigma of up to 1.2 pixels, and
    noise one of up to 0.06.
    """
    n = len(pictures)
    gain = 1 + strength * (0.08 * _uniform(generator, n, 1) + 0.05 * _uniform(generator, n, 3))
    offset = 0.04 * strength * _uniform(generator, n, 3)
    out = pictures * gain[:, :, None, None] + offset[:, :, None, None]
    grey = out.mean(1, keepdim=True)
    out = torch.lerp(grey, out, 1 + 0.15 * strength * _uniform(generator, n, 1, 1, 1))
    out = _blurred(out, (strength * _chance(generator, n, 0.6)).clamp(max=1))
    return (out + strength * _noise(out, generator)).clamp(0, 1)


def _noise(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Fine noise, and coarse noise in blocks of 8 pixels as strong compression leaves it."""
    n, channels, height, width = pictures.shape
    blocks = torch.randn(n, channels, -(-height // 8), -(-width // 8), generator=generator)
    blocks *= (0.03 * _chance(generator, n, 0.4))[:, None, None, None]
    coarse = functional.interpolate(blocks, scale_factor=8.0, mode="nearest")
    fine = torch.randn(pictures.shape, generator=generator)
    fine *= (0.06 * _chance(generator, n, 0.6))[:, None, None, None]
    return fine.add_(coarse[:, :, :height, :width])


def _blurred(pictures: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
    """Three passes of (1, 2, 1) / 4 in both directions, each mixed in by `amount` (n,), 0 to 1."""
    amount = amount[:, None, None, None]
    for _ in range(3):
        for axis in (2, 3):
            size = pictures.shape[axis]
            before = torch.cat(
                [pictures.narrow(axis, 0, 1), pictures.narrow(axis, 0, size - 1)], axis
            )
            after = torch.cat(
                [pictures.narrow(axis, 1, size - 1), pictures.narrow(axis, -1, 1)], axis
            )
            sides = before.add_(after).mul_(0.5).sub_(pictures)
            pictures = torch.addcmul(pictures, sides, amount, value=0.5)
    return pictures


def _uniform(generator: torch.Generator, *shape: int) -> torch.Tensor:
    """Between -1 and 1."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _chance(generator: torch.Generator, n: int, share: float) -> torch.Tensor:
    """(n,) between 0 and 1 for about `share` of the pictures, 0 for the rest."""
    drawn = torch.rand(n, generator=generator)
    return drawn * (torch.rand(n, generator=generator) < share)
