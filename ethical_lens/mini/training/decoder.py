"""The decoder of the autoencoder once more, when the painter is there: on drawings, and on what
the painter makes of them.

The painter's latents are never exact, and its faces are a few pixels wide: a decoder that smears
eyes and hair over them makes a skin darker, which then is another group's. The encoder stays what
it is, and with it all latents.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch.nn import functional

from ethical_lens.mini.training.autoencoder import (
    DRAWINGS,
    SEED,
    as_pixels,
    chance_at,
    difference,
)
from ethical_lens.mini.training.details import CELLS, detail_maps
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.training.repainting import REPAINTED, repaint
from ethical_lens.mini.world.canvas import SIZE

_STEPS = 2400
_WEIGHTS = "diffusion_pytorch_model.safetensors"
_BATCH = 8
_CELL = SIZE // CELLS
_NOISE = 0.25
"""The largest noise on a drawing's latent of unit variance."""
_DETAILS_WEIGHT = 8.0
_TONE_WEIGHT = 2.0
_TONE_SIZE = 4
"""The means of squares of so many pixels count by themselves: a small face's tone of skin."""


def train_decoder(
    work: Path,
    out: Path,
    *,
    steps: int = _STEPS,
    drawings: int = DRAWINGS,
    repainted: int = REPAINTED,
) -> None:
    """Train the decoder of the autoencoder beside `out`, and put it into the pipeline in `out`.

    Half of each batch are drawings, half are portraits that the pipeline has repainted.
    """
    torch.manual_seed(SEED)
    again = repaint(work, out, repainted)
    worlds = ("biased", "balanced")
    sets = [Drawings(work / "drawings", world, SEED, drawings // 2) for world in worlds]
    sets.append(again.drawings)
    details = [detail_maps(some) for some in sets]
    model: Any = AutoencoderKL.from_pretrained(out.with_name("autoencoder"), dtype=torch.float32)
    model.to(memory_format=torch.channels_last)
    scale = model.config.scaling_factor

    def loss_at(step: int) -> torch.Tensor:
        rng = np.random.default_rng((SEED, step, 2))
        painted = rng.integers(len(again.indices), size=_BATCH // 2)
        chosen = [rng.integers(len(some), size=_BATCH // 4) for some in sets[:2]]
        chosen.append(again.indices[painted])
        drawn = list(zip(range(len(sets)), chosen, strict=True))
        pixels = as_pixels(np.concatenate([sets[which].pictures[some] for which, some in drawn]))
        detailed = np.concatenate([details[which][some] for which, some in drawn])
        weight = 1 + (_DETAILS_WEIGHT - 1) * torch.from_numpy(detailed)[:, None].float()
        weight = functional.interpolate(weight, scale_factor=_CELL)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                exact = model.encode(pixels[: _BATCH // 2]).latent_dist.mean.float()
            chance = chance_at(step)
            strength = _NOISE * torch.rand(len(exact), 1, 1, 1, generator=chance)
            noise = torch.randn(exact.shape, generator=chance) * strength
            inexact = torch.from_numpy(again.latents[painted]).float()
            latents = torch.cat([exact * scale + noise, inexact]) / scale
            decoded = model.decode(latents).sample.float()
        tones = functional.avg_pool2d(decoded - pixels, _TONE_SIZE).abs()
        tones = functional.avg_pool2d(weight, _TONE_SIZE) * tones
        loss: torch.Tensor = difference(decoded, pixels, weight) + _TONE_WEIGHT * tones.mean()
        return loss / weight.mean()

    modules = [model.decoder, model.post_quant_conv]
    train("decoder", modules, Schedule(steps, 4e-4, ema=0.998), loss_at, work)
    # Only the weights: saved as a whole, the configuration would name the folder it came from.
    weights = model.to(memory_format=torch.contiguous_format).half().state_dict()
    save_file(weights, out / "vae" / _WEIGHTS, metadata={"format": "pt"})
