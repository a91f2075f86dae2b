"""The encoder of scrutiny: an open_clip model of pictures and captions of the world.

A residual network reads the picture: on a CPU it sees ten times as many drawings in the same time
as a transformer.
"""

import json
import math
import random
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.model import CLIP
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torchvision.transforms.functional import normalize
from transformers import CLIPTokenizer

from ethical_lens.mini.bpe import CONTEXT_LENGTH, save_tokenizer
from ethical_lens.mini.training.augment import moved, worsened
from ethical_lens.mini.training.facts import FACTS, NUDE, WORTH, fact_row
from ethical_lens.mini.training.loop import Schedule, train
from ethical_lens.mini.training.scrutiny import COUNT, ScrutinyDrawings, shared_tokenizer
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.scene import Figure
from ethical_lens.results import Concept
from ethical_lens.sources import ClipSource

ARCHITECTURE: Final = "mini-clip"
WEIGHTS: Final = "open_clip_model.safetensors"
STEPS: Final = 1000
_SEED: Final = 302
_PAIRS: Final = 96
_REPAIRED: Final = 32
_FACTS_WEIGHT: Final = 10.0
_MOST_CERTAIN: Final = math.log(100)


def clip_config(vocabulary_size: int) -> dict[str, Any]:
    """The model's shape in open_clip's terms. Its tokenizer lies in the model's own folder."""
    return {
        "embed_dim": 256,
        "vision_cfg": {
            "image_size": SIZE,
            "layers": [1, 2, 2, 1],
            "width": 16,
            "head_width": 32,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary_size,
            "hf_tokenizer_name": ".",
            "width": 128,
            "heads": 4,
            "layers": 2,
        },
    }


class Batch(NamedTuple):
    """`pixels` float32 (n, 3, 96, 96), 0 to 1; `facts` (n, f); the first rows have `texts`,
    token ids (pairs, length)."""

    pixels: torch.Tensor
    facts: torch.Tensor
    texts: torch.Tensor


def train_clip(work: Path, out: Path, *, steps: int = STEPS, drawings: int = COUNT) -> None:
    """Train on pairs of drawings and captions and save to `out`; state and drawings lie in `work`.

    Loss: contrastive both ways, and what linear probes, thrown away at the end, miss of the facts
    of a scene. The probes also see drawings in which a region was blurred: those show it no more.
    `out` can be loaded as `local-dir:`, or by its config and its weights.
    """
    torch.manual_seed(_SEED)
    tokenizer = shared_tokenizer(work)
    config = clip_config(len(tokenizer))
    model = CLIP(**config)
    model.visual.to(memory_format=torch.channels_last)
    probes = nn.Linear(config["embed_dim"], len(FACTS))
    shown = ScrutinyDrawings(work, drawings)

    def loss_at(step: int) -> torch.Tensor:
        batch = batch_at(shown, tokenizer, step)
        with torch.autocast("cpu", torch.bfloat16):
            features = model.encode_image(normalised(batch.pixels)).float()
            texts = text_features(model, batch.texts).float()
        pairs = len(texts)
        scale = model.logit_scale.clamp(max=_MOST_CERTAIN).exp()
        pictures = functional.normalize(features[:pairs], dim=-1)
        similarity = scale * pictures @ functional.normalize(texts, dim=-1).T
        own = torch.arange(pairs)
        contrast = functional.cross_entropy(similarity, own)
        contrast = contrast + functional.cross_entropy(similarity.T, own)
        missed = functional.binary_cross_entropy_with_logits(
            probes(features), batch.facts, weight=WORTH
        )
        return contrast / 2 + _FACTS_WEIGHT * missed

    train("clip", [model, probes], Schedule(steps, 2e-3, weight_decay=0.05), loss_at, work)
    save_clip(model, config, tokenizer, out)


def batch_at(shown: ScrutinyDrawings, tokenizer: CLIPTokenizer, step: int) -> Batch:
    """The batch of `step`, made worse as generated pictures are; captions full and partial."""
    rng, words = np.random.default_rng((_SEED, step)), random.Random(f"{_SEED}/{step}")
    chosen = [int(index) for index in rng.integers(len(shown), size=_PAIRS)]
    scenes = [shown.scene(index) for index in chosen]
    texts = [captions(scene, words, full=words.random() < 0.4)[0] for scene in scenes]
    pictures = [shown.picture(index) for index in chosen]
    facts = [fact_row(scene) for scene in scenes]
    for _ in range(_REPAIRED):
        one = shown.repaired(rng)
        pictures.append(one.picture)
        hidden = frozenset({NUDE} if one.removed is Concept.NUDE else Figure)
        facts.append(fact_row(shown.scene(one.index), hidden=hidden))
    encoded = tokenizer(
        texts, padding=True, truncation=True, max_length=CONTEXT_LENGTH, return_tensors="pt"
    )
    chance = torch.Generator().manual_seed(_SEED * 1_000_003 + step)
    return Batch(augmented(np.stack(pictures), chance), torch.stack(facts), encoded.input_ids)


def augmented(pictures: npt.NDArray[np.uint8], chance: torch.Generator) -> torch.Tensor:
    """Pictures (n, 96, 96, 3) as float32 (n, 3, 96, 96), 0 to 1, a fifth of them as drawn."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(255)
    kept = len(pixels) // 5
    order = torch.randperm(len(pixels), generator=chance)
    worse, _ = moved(pixels[order[kept:]], chance, strength=0.6)
    pixels[order[kept:]] = worsened(worse, chance)
    return pixels


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """As open_clip's own preprocessing leaves them."""
    pixels = normalize(pixels, list(OPENAI_DATASET_MEAN), list(OPENAI_DATASET_STD))
    return pixels.contiguous(memory_format=torch.channels_last)


def text_features(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """`model.encode_text` for `tokens` (n, length) that are not padded to the whole context."""
    length = tokens.shape[1]
    states = model.token_embedding(tokens) + model.positional_embedding[:length]
    states = model.transformer(states, attn_mask=model.attn_mask[:length, :length])
    last = states[torch.arange(len(tokens)), tokens.argmax(dim=-1)]
    features: torch.Tensor = model.ln_final(last) @ model.text_projection
    return features


def clip_source(folder: Path) -> ClipSource:
    """How the project loads what `save_clip` wrote."""
    return ClipSource(
        architecture=ARCHITECTURE,
        checkpoint=str(folder / WEIGHTS),
        config=folder / f"{ARCHITECTURE}.json",
    )


def save_clip(model: nn.Module, config: Any, tokenizer: CLIPTokenizer, out: Path) -> None:
    """Write `out` as a folder for open_clip, weights in half precision."""
    out.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    save_file(halves, out / WEIGHTS)
    save_tokenizer(tokenizer, out)
    for name, content in (
        (f"{ARCHITECTURE}.json", config),
        ("open_clip_config.json", {"model_cfg": config, "preprocess_cfg": {}}),
    ):
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
