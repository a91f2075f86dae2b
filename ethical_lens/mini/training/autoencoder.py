"""The painter's autoencoder: 96 x 96 pixels to 24 x 24 latents of four channels and back."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL

from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.world.canvas import SIZE

STEPS = 1600
DRAWINGS = 24_000
_BATCH = 16
SEED = 101
_EDGE_WEIGHT = 1.0
_HUE_WEIGHT = 2.0
_CROP = SIZE // 2
_LATENT_NOISE = 0.05
_LATENT_WEIGHT = 1e-3
_LOG_VARIANCE = 2 * np.log(_LATENT_NOISE)


def new_autoencoder() -> Any:
    """An untrained one, in the shape of Stable Diffusion's, with narrow layers.

    Latents are a quarter of the picture's side: an eighth was tried, and lost faces.
    """
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(32, 48, 64),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=SIZE,
    )


def train_autoencoder(
    work: Path, out: Path, *, steps: int = STEPS, drawings: int = DRAWINGS
) -> None:
    """Train on drawings of both worlds and save to `out`; state and drawings lie in `work`.

    The posterior has a fixed, small width (a learnt one begins wide and drowns faces
    in noise for most of so short a training), and a trace of L2 in place of KL keeps latents near
    zero. The scaling factor makes them of unit variance.
    """
    torch.manual_seed(SEED)
    pictures = _pictures(work, drawings)
    model = new_autoencoder()
    _fix_posterior_width(model)
    model.to(memory_format=torch.channels_last)

    def loss_at(step: int) -> torch.Tensor:
        pixels = _cropped(_batch(pictures, step, _BATCH), step)
        with torch.autocast("cpu", torch.bfloat16):
            latents = model.encode(pixels).latent_dist.mean
            noise = torch.randn(latents.shape, generator=chance_at(step)) * _LATENT_NOISE
            again = model.decode(latents + noise.to(latents.dtype)).sample.float()
        spread: torch.Tensor = latents.float().square().mean()
        return difference(again, pixels) + _LATENT_WEIGHT * spread

    train("autoencoder", [model], Schedule(steps, 4e-4, ema=0.99), loss_at, work)
    _fix_posterior_width(model)
    with torch.inference_mode():
        some = [_batch(pictures, steps + i, 64) for i in range(8)]
        latents = torch.cat([model.encode(pixels).latent_dist.mean for pixels in some])
    model.register_to_config(scaling_factor=round(1.0 / float(latents.std()), 4))
    model.to(memory_format=torch.contiguous_format).half().save_pretrained(out)


def chance_at(step: int) -> torch.Generator:
    """What is drawn at `step`, whether the run was interrupted before it or not."""
    return torch.Generator().manual_seed(SEED * 1_000_003 + step)


def _pictures(work: Path, drawings: int) -> list[npt.NDArray[np.uint8]]:
    return [
        Drawings(work / "drawings", world, SEED, drawings // 2).pictures
        for world in ("biased", "balanced")
    ]


def _batch(pictures: list[npt.NDArray[np.uint8]], step: int, size: int) -> torch.Tensor:
    """Pixels (n, 3, 96, 96), -1 to 1, half from each world."""
    rng = np.random.default_rng((SEED, step))
    chosen = np.concatenate(
        [some[np.sort(rng.integers(len(some), size=size // 2))] for some in pictures]
    )
    return as_pixels(chosen)


def as_pixels(pictures: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Pictures (n, 96, 96, 3) as the autoencoder takes them: (n, 3, 96, 96), -1 to 1."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    return pixels.contiguous(memory_format=torch.channels_last)


def _cropped(pixels: torch.Tensor, step: int) -> torch.Tensor:
    """A quarter of each picture, at the same place: more steps for the same work."""
    down, right = np.random.default_rng((SEED, step, 1)).integers(0, _CROP // 4 + 1, 2) * 4
    return pixels[:, :, down : down + _CROP, right : right + _CROP]


def difference(
    again: torch.Tensor, pixels: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """L1 of pixels and of their differences between colours, to the right and below, where `weight`
    (n, 1, height, width) says how much each pixel counts.

    Without the first of these, hues that differ little in lightness are lost; without the others,
    what is a few pixels wide.
    """
    if weight is None:
        weight = torch.ones_like(pixels[:, :1])
    error = again - pixels
    loss: torch.Tensor = (weight * error.abs()).mean()
    for axis, share in ((1, _HUE_WEIGHT), (2, _EDGE_WEIGHT), (3, _EDGE_WEIGHT)):
        change = error.diff(dim=axis).abs()
        counted = weight if axis == 1 else weight.narrow(axis, 1, change.shape[axis])
        loss = loss + share * (counted * change).mean()
    return loss


@torch.no_grad()
def _fix_posterior_width(model: Any) -> None:
    """Let the second half of the encoder's answer, the log variance, be a constant."""
    model.quant_conv.weight[4:].zero_()
    model.quant_conv.bias[4:].fill_(_LOG_VARIANCE)
