"""Portraits that the painter has painted again over drawings, so that what they show is known."""

import math
import random
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image

from ethical_lens.mini.training.diffusion import portraits
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.pieces import in_pieces
from ethical_lens.mini.world.captions import captions
from ethical_lens.sources import digest_of

REPAINTED: Final = 2400
_SEED: Final = 101
_DRAWN: Final = 5
"""So many drawings for each, as not all are portraits."""
_BATCH: Final = 32
_STEPS: Final = 20
_GUIDANCE: Final = 4.0
_STRENGTHS: Final = (0.15, 0.6)
"""How much of the way from noise the painter goes again (img2img): beyond it moves what it paints,
and the drawing no longer says what should be there."""


class Repainted(NamedTuple):
    """`indices` (n,) of `drawings`, and scaled `latents` (n, 4, 24, 24) of what the painter made
    of them."""

    drawings: Drawings
    indices: npt.NDArray[np.int64]
    latents: npt.NDArray[np.float16]


def repaint(work: Path, pipeline: Path, count: int = REPAINTED) -> Repainted:
    """`count` portraits of the balanced world, repainted by `pipeline` and kept in `work` under
    the digests of its UNet and its text encoder."""
    drawings = Drawings(work / "drawings", "balanced", _SEED, _DRAWN * count)
    indices = np.array(random.Random(_SEED).choices(portraits(drawings), k=count))
    digests = [
        digest_of(str(pipeline / part)).removeprefix("sha256:")[:8]
        for part in ("unet", "text_encoder")
    ]
    painter: Any = StableDiffusionImg2ImgPipeline.from_pretrained(
        pipeline, safety_checker=None, requires_safety_checker=False
    )
    painter.to(torch.float32)
    painter.set_progress_bar_config(disable=True)

    @torch.inference_mode()
    def latents(number: int) -> npt.NDArray[np.float16]:
        start = number * _BATCH
        some = [int(index) for index in indices[start : start + _BATCH]]
        rng = random.Random(f"{_SEED}/repaint/{start}")
        found = painter(
            [captions(drawings[index], rng, attributes=True)[0] for index in some],
            image=[Image.fromarray(np.array(drawings.pictures[index])) for index in some],
            strength=rng.uniform(*_STRENGTHS),
            generator=torch.Generator().manual_seed(_SEED + start),
            num_inference_steps=_STEPS,
            guidance_scale=_GUIDANCE,
            output_type="latent",
        ).images
        return np.asarray(found.half())

    file = work / f"repainted-{count}-{'-'.join(digests)}.npy"
    return Repainted(drawings, indices, in_pieces(file, math.ceil(count / _BATCH), latents))
