"""The region finder: a CLIPSeg for what scrutiny may ask for."""

from itertools import compress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    ViTImageProcessor,
)

from ethical_lens.mini.bpe import CONTEXT_LENGTH
from ethical_lens.mini.training.augment import moved, worsened
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.training.masks import REGIONS, bit
from ethical_lens.mini.training.scrutiny import COUNT, ScrutinyDrawings, shared_tokenizer
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.scene import Figure

STEPS: Final = 2000
_SEED: Final = 303
_PICTURES: Final = 24
_ASKED: Final = 3
"""Queries of each picture."""
_, _FACE, *_FIGURES = REGIONS
_PROBES_WEIGHT: Final = 0.3
_SURE: Final = 3.0
"""An absent region's highest logit is to be below the negative of this."""

PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "nude body": ("nude body", "nude body", "naked body", "a nude body", "a naked body"),
    "face": ("face", "face", "a face", "faces"),
    **{
        f"{name}'s face": (f"{name}'s face", f"{name}'s face", name, f"the face of {name}")
        for name in (figure.value for figure in Figure)
    },
}
"""How each region is asked for; the first is how the product asks."""
NOT_THERE: Final = (
    "Anna Berg's face", "Doctor Lum's face", "President Hale's face", "Captain Moss's face",
    "Madame Ivory's face", "Tom Rook", "Queen Sella's face", "John Smith's face", "dog", "car",
)  # fmt: skip
"""Whom and what nobody finds."""


def new_segmenter(tokenizer: CLIPTokenizer) -> CLIPSegForImageSegmentation:
    """An untrained one of 0.9 million parameters, which reads 12 x 12 patches.

    Its decoder starts as torch's layers do: transformers draws those weights with a deviation of
    1, from which nothing is learnt.
    """
    model = CLIPSegForImageSegmentation(
        CLIPSegConfig(
            text_config={
                "vocab_size": len(tokenizer),
                "hidden_size": 64,
                "intermediate_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "max_position_embeddings": CONTEXT_LENGTH,
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
                "pad_token_id": tokenizer.pad_token_id,
            },
            vision_config={
                "hidden_size": 128,
                "intermediate_size": 256,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "image_size": SIZE,
                "patch_size": 8,
            },
            projection_dim=64,
            extract_layers=[1, 3],
            reduce_dim=64,
            decoder_num_attention_heads=4,
            decoder_intermediate_size=128,
        )
    )
    for layer in model.decoder.modules():
        if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
            layer.reset_parameters()
    nn.init.ones_(model.decoder.film_mul.bias)
    return model


def segmenter_processor(tokenizer: CLIPTokenizer) -> CLIPSegProcessor:
    """The processor that belongs to `new_segmenter`; pixels are -1 to 1."""
    images = ViTImageProcessor(size={"height": SIZE, "width": SIZE})
    return CLIPSegProcessor(image_processor=images, tokenizer=tokenizer)


class Batch(NamedTuple):
    """`pixels` float32 (n, 3, 96, 96), 0 to 1; `masks` (n, `_ASKED`, 96, 96), 0 to 1, for the
    phrases in `asked`, picture by picture.

    `meant` (n * `_ASKED`,) is the position in `REGIONS` of what a phrase asks for, one past the
    last for what nobody finds; `shown` (n, regions) is 1 for each region of a picture.
    """

    pixels: torch.Tensor
    masks: torch.Tensor
    asked: list[str]
    meant: torch.Tensor
    shown: torch.Tensor


def train_regions(work: Path, out: Path, *, steps: int = STEPS, drawings: int = COUNT) -> None:
    """Train on drawings and save model and processor to `out`; state and drawings lie in `work`.

    Loss: cross-entropy of the pixels, the Dice loss of what is there, the highest logit of what is
    not, and what two linear probes, thrown away at the end, miss: of what is asked for in the
    text's embedding, and of what is shown in the mean of the patches. Without the probes the names
    of the figures got one embedding, and any figure answered to any name.
    """
    torch.manual_seed(_SEED)
    tokenizer = shared_tokenizer(work)
    model = new_segmenter(tokenizer)
    shape: Any = model.config
    reads_text = nn.Linear(shape.projection_dim, len(REGIONS) + 1)
    reads_picture = nn.Linear(shape.vision_config.hidden_size, len(REGIONS))
    drawn = ScrutinyDrawings(work, drawings)

    def loss_at(step: int) -> torch.Tensor:
        batch = batch_at(drawn, step)
        tokens = tokenizer(batch.asked, padding=True, return_tensors="pt").input_ids
        answer = answered(model, batch.pixels, tokens)
        missed = functional.cross_entropy(reads_text(answer.text), batch.meant)
        missed = missed + functional.binary_cross_entropy_with_logits(
            reads_picture(answer.picture), batch.shown
        )
        return _loss(answer.logits, batch.masks.flatten(0, 1)) + _PROBES_WEIGHT * missed

    modules = [model, reads_text, reads_picture]
    train("regions", modules, Schedule(steps, 1.5e-3, ema=0.99), loss_at, work)
    save_segmenter(model, tokenizer, out)


def batch_at(shown: ScrutinyDrawings, step: int) -> Batch:
    """The batch of `step`: half of the pictures by chance, half with each region as often."""
    rng = np.random.default_rng((_SEED, step))
    groups = [group for group in shown.by_region.values() if len(group)]
    chosen = [
        int(rng.choice(groups[i % len(groups)])) if i % 2 else int(rng.integers(len(shown)))
        for i in range(_PICTURES)
    ]
    layers, asked, meant, there = [], [], [], []
    for index in chosen:
        map_ = shown.map(index)
        there.append([bool((map_ & bit(name)).any()) for name in REGIONS])
        regions = _asked_of(set(compress(REGIONS, there[-1])), rng)
        meant += [REGIONS.index(name) if name else len(REGIONS) for name in regions]
        asked += [str(rng.choice(PHRASES.get(region, NOT_THERE))) for region in regions]
        masks = [(map_ & bit(name)) > 0 if name else np.zeros_like(map_) for name in regions]
        picture = shown.picture(index).transpose(2, 0, 1).astype(np.float32) / 255
        layers.append(np.concatenate([picture, np.stack(masks).astype(np.float32)]))
    chance = torch.Generator().manual_seed(_SEED * 1_000_003 + step)
    both, _ = moved(torch.from_numpy(np.stack(layers)), chance)
    kept = _PICTURES // 5
    pixels = torch.cat([both[:kept, :3], worsened(both[kept:, :3], chance)])
    return Batch(pixels, both[:, 3:], asked, torch.tensor(meant), torch.tensor(there).float())


def _asked_of(there: set[str], rng: np.random.Generator) -> list[str]:
    """Three regions: the rarest that is there, or a face that is not; a figure's that is not, so
    that faces are told apart; and any other, "" standing for what nobody finds."""
    first = next((name for name in REGIONS if name in there and name != _FACE), _FACE)
    second = str(rng.choice([name for name in _FIGURES if name not in there]))
    return [
        first,
        second,
        str(rng.choice([name for name in (*REGIONS, "") if name not in (first, second)])),
    ]


class Answer(NamedTuple):
    """`logits` (n * k, 96, 96), the `text` embeddings (n * k, d) and the mean of each `picture`'s
    patches (n, d)."""

    logits: torch.Tensor
    text: torch.Tensor
    picture: torch.Tensor


def answered(model: Any, pixels: torch.Tensor, tokens: torch.Tensor) -> Answer:
    """For `pixels` (n, 3, 96, 96), 0 to 1, and token ids (n * k, length).

    What the model's `forward` computes, with gradients for all of it and one look at each picture
    for all of its k queries.
    """
    seen = model.clip.vision_model(pixel_values=pixels * 2 - 1, output_hidden_states=True)
    each = len(tokens) // len(pixels)
    activations = [
        seen.hidden_states[layer + 1].repeat_interleave(each, dim=0)
        for layer in model.extract_layers
    ]
    text = model.clip.text_projection(model.clip.text_model(input_ids=tokens).pooler_output)
    patches = seen.hidden_states[model.extract_layers[-1] + 1][:, 1:]
    return Answer(model.decoder(activations, text).logits, text, patches.mean(1))


def _loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Of logits and masks (m, 96, 96)."""
    loss = functional.binary_cross_entropy_with_logits(logits, masks)
    there = masks.amax(dim=(1, 2)) > 0.5
    if there.any():
        guess, truth = logits[there].sigmoid().flatten(1), masks[there].flatten(1)
        common = (guess * truth).sum(1) + 1
        loss = loss + 0.5 * (1 - 2 * common / (guess.sum(1) + truth.sum(1) + 2)).mean()
    if not there.all():
        highest = logits[~there].amax(dim=(1, 2))
        loss = loss + 0.05 * functional.softplus(highest + _SURE).mean()
    return loss


def save_segmenter(model: Any, tokenizer: CLIPTokenizer, out: Path) -> None:
    """Write `out` as transformers does, weights in half precision; they load as float32."""
    model.half().save_pretrained(out)
    model.config.dtype = torch.float32
    model.config.save_pretrained(out)
    segmenter_processor(tokenizer).save_pretrained(out)
