"""The painter: a latent UNet and its text encoder, saved as a `StableDiffusionPipeline`."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm
from transformers import CLIPTokenizer

from ethical_lens.mini.training.details import detail_maps
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.training.text_encoder import text_tower
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.scene import Scene
from ethical_lens.sources import digest_of

STEPS = 6000
_BATCH = 32
_SEED = 201
_WIDTH = 128
_DROPPED = 0.1
"""Share of captions left empty, for classifier-free guidance (Ho & Salimans 2022)."""
_SNR_LIMIT = 5.0
"""Gamma of Min-SNR weighting (Hang et al. 2023), here of SNR + 1: the prompt acts where noise is
strong, and there the loss of a velocity (Salimans & Ho 2022) keeps its whole weight."""
_DETAILS_FROM = 1200
_DETAILS_WEIGHT = 4.0
"""From that step on, once places and bodies are learnt, faces and stand-ins count so much more."""
_ATTRIBUTES_FROM = 2000
"""From that step on, what people look like: more noise, and more of the balanced world."""
_FINE_STEPS = 1800
_FINE_DETAILS_WEIGHT = 8.0
"""A second, shorter fall of the rate, on noise of all strengths: small things become sharp."""
_FACES_STEPS = 1500
_FACES_WEIGHT = 6.0
"""A third and a fourth one (warm restarts, Loshchilov & Hutter 2017), of portraits where the world
is balanced. What counts besides is how far the mean of three by three latents of a detail is off:
its colour, of which a single one tells little under noise."""
_SHIFT = 2.5
"""How much more noise (the shift of Esser et al. 2024, section 5.3.2): a wrong gender, group or
life stage in the caption costs next to nothing below the middle of the schedule, and most at its
end."""
_BALANCED_SHARE = 0.5
_BALANCED_SHARE_LATER = 0.65
"""The share of a batch that comes from the balanced world."""
_LATENT_SIZE = 24

_LossAt = Callable[[int], torch.Tensor]


def new_unet() -> Any:
    """An untrained one. The prompt acts in two ways: pooled, it scales and shifts every block
    together with the time (as in SDXL, Podell et al. 2023), so that what somebody looks like
    holds at every size; word by word it is attended to where the picture is 6 x 6.
    """
    return UNet2DConditionModel(
        sample_size=_LATENT_SIZE,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(48, 96, 160),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
        cross_attention_dim=_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def new_scheduler() -> Any:
    """Velocity prediction on Stable Diffusion's schedule of noise, taken down to pure noise at its
    end (Lin et al. 2024): without that, pictures of the night come out too light."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
        rescale_betas_zero_snr=True,
    )


def train_diffusion(
    work: Path,
    out: Path,
    *,
    steps: int = STEPS,
    fine_steps: int = _FINE_STEPS,
    faces_steps: int = _FACES_STEPS,
    biased: int = 18_000,
    balanced: int = 9_000,
) -> None:
    """Train on the autoencoder, the tokenizer and the CLIP beside `out`, and save the whole
    pipeline to `out`.

    The painter learns its biases from the biased world alone: scenes of the balanced one come
    only with captions that say gender, group and life stage of everybody, so that it can paint
    whatever is asked for, and still paints what the biased world shows where nothing is.
    """
    torch.manual_seed(_SEED)
    encoded_by = out.with_name("autoencoder")
    vae: Any = AutoencoderKL.from_pretrained(encoded_by, torch_dtype=torch.float32).eval()
    tokenizer = CLIPTokenizer.from_pretrained(out.with_name("tokenizer"))
    unet, scheduler = new_unet(), new_scheduler()
    text_encoder = text_tower(out.with_name("clip"), tokenizer)
    sets = (
        (Drawings(work / "drawings", "biased", _SEED, biased), False),
        (Drawings(work / "drawings", "balanced", _SEED, balanced), True),
    )
    latents = [_latents(encoded_by, vae, drawings) for drawings, _ in sets]
    details = [detail_maps(drawings) for drawings, _ in sets]
    alphas = scheduler.alphas_cumprod
    alone = portraits(sets[1][0])

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        chosen, detailed, texts = [], [], []
        share = _BALANCED_SHARE_LATER if step >= _ATTRIBUTES_FROM else _BALANCED_SHARE
        for i in range(_BATCH):
            rng = random.Random(f"{_SEED}/{step}/{i}")
            which = int(rng.random() < share)
            drawings, attributes = sets[which]
            index = rng.randrange(len(drawings))
            if which and step >= STEPS + _FINE_STEPS:
                index = rng.choice(alone)
            chosen.append(latents[which][index])
            detailed.append(details[which][index])
            empty = rng.random() < _DROPPED
            text = "" if empty else captions(drawings[index], rng, attributes=attributes)[0]
            texts.append(text)
        ids = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
        clean = torch.from_numpy(np.stack(chosen)).float()
        return clean, torch.from_numpy(np.stack(detailed)), ids

    def loss_at(step: int) -> torch.Tensor:
        clean, detailed, ids = batch(step)
        generator = torch.Generator().manual_seed(_SEED * 1_000_003 + step)
        noise = torch.randn(clean.shape, generator=generator)
        times = torch.rand(len(clean), generator=generator)
        if _ATTRIBUTES_FROM <= step < STEPS:
            times = _SHIFT * times / (1 + (_SHIFT - 1) * times)
        times = (times * len(alphas)).long()
        alpha = alphas[times].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        velocity = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        # On a CPU the fused attention is slow to differentiate: a fifth of the whole step.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            predicted = unet(noisy, times, text_encoder(ids)[0]).sample
        ratio = alpha / (1 - alpha)
        weight = (ratio + 1).clamp(max=_SNR_LIMIT) / (ratio + 1)
        if step >= _DETAILS_FROM:
            details_weight = _DETAILS_WEIGHT if step < STEPS else _FINE_DETAILS_WEIGHT
            weight = weight * torch.where(detailed[:, None], details_weight, 1.0)
        error = predicted.float() - velocity
        loss: torch.Tensor = (weight * error.square()).mean()
        if step >= STEPS + _FINE_STEPS:
            inside = detailed[:, None].float()
            cells = functional.avg_pool2d(inside, 3, 1, 1)
            together = functional.avg_pool2d(error * inside, 3, 1, 1)
            loss = loss + (_FACES_WEIGHT * weight * together.square() * (cells > 0)).mean()
        return loss

    modules = [unet, text_encoder]
    train("painter", modules, Schedule(steps, 6e-4, warmup=200, ema=0.998), loss_at, work)
    fine = Schedule(fine_steps, 3e-4, warmup=100, ema=0.998)
    train("painter-fine", modules, fine, _counted_from(STEPS, loss_at), work)
    faces = Schedule(faces_steps, 3e-4, warmup=100, ema=0.998)
    for fall in (1, 2):
        first = STEPS + _FINE_STEPS + (fall - 1) * faces_steps
        train(f"painter-faces-{fall}", modules, faces, _counted_from(first, loss_at), work)
    pipeline: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(torch.float16).save_pretrained(out)
    for file in out.rglob("*config.json"):
        _forget_origin(file)


def _forget_origin(file: Path) -> None:
    """Where on this machine it was loaded from is nobody's business."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if {"_name_or_path", "name_or_path"} & set(content):
        kept = {name: value for name, value in content.items() if not name.endswith("name_or_path")}
        file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _counted_from(first: int, loss_at: _LossAt) -> _LossAt:
    return lambda step: loss_at(first + step)


def portraits(scenes: Sequence[Scene]) -> list[int]:
    """Which of `scenes` show one person alone, those of unclothed stand-ins three times."""
    return [
        index
        for index, scene in enumerate(scenes)
        if len(scene.people) == 1
        for _ in range(3 if scene.people[0].nude else 1)
    ]


@torch.inference_mode()
def _latents(folder: Path, vae: Any, drawings: Drawings) -> npt.NDArray[np.float16]:
    """Scaled latents (n, 4, 24, 24) of all drawings, kept beside them under the digest of the
    autoencoder in `folder`."""
    digest = digest_of(str(folder)).removeprefix("sha256:")[:8]
    file = drawings.file(f"latents-{digest}")
    if not file.exists():
        found = []
        starts = range(0, len(drawings), 64)
        for start in tqdm(starts, desc=f"encoding {drawings.world}"):
            pixels = torch.from_numpy(np.array(drawings.pictures[start : start + 64]))
            pixels = pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1)
            with torch.autocast("cpu", torch.bfloat16):
                mean = vae.encode(
                    pixels.contiguous(memory_format=torch.channels_last)
                ).latent_dist.mean
            found.append((mean.float() * vae.config.scaling_factor).half().numpy())
        partial = file.with_suffix(".partial.npy")
        np.save(partial, np.concatenate(found))
        partial.rename(file)
    kept: npt.NDArray[np.float16] = np.load(file)
    return kept
