"""The five heads of scrutiny, on features of the trained encoder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL
from PIL import Image
from tqdm import tqdm

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.mini.training.clip import augmented, clip_source
from ethical_lens.mini.training.scrutiny import COUNT, Repaired, ScrutinyDrawings
from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.training.heads.fitting import HeadTraining, save_heads, train_head

STEPS: Final = 6000
_SEED: Final = 304
_BATCH: Final = 64
_REPAIRED: Final = 0.5
"""Repaired drawings, in parts of the others."""
_ROUND_TRIPS: Final = 8
"""Of this many batches one goes through the painter's autoencoder, where there is one."""


class Features(NamedTuple):
    """`features` (n, d) and what each picture shows, (n,) by concept."""

    features: torch.Tensor
    labels: dict[Concept, torch.Tensor]


def train_heads(work: Path, out: Path, *, steps: int = STEPS, drawings: int = COUNT) -> None:
    """Train on features of the encoder beside `out` (`clip`) and save to `out`.

    The pictures are made worse as generated ones are; where the painter's autoencoder lies beside
    `out` (`pipeline/vae`), some go through it. Drawings whose region the product has blurred show
    what was blurred no more.
    """
    encoder = ImageEncoder.load(clip_source(out.with_name("clip")), torch.device("cpu"))
    vae = out.parent / "pipeline" / "vae"
    autoencoder = AutoencoderKL.from_pretrained(vae, dtype=torch.float32) if vae.exists() else None
    found = features_of(ScrutinyDrawings(work, drawings), encoder, autoencoder)
    thresholds = Policy().thresholds
    heads = {}
    for concept, labels in found.labels.items():
        trained = train_head(
            found.features,
            labels,
            threshold=thresholds[concept.value],
            settings=HeadTraining(steps=steps, seed=_SEED),
            name=concept.value,
        )
        tqdm.write(f"{concept.value}: {trained.held_out}")
        heads[concept] = trained.head
    save_heads(heads, out)


def features_of(shown: ScrutinyDrawings, encoder: ImageEncoder, autoencoder: Any) -> Features:
    """Features and labels of all drawings, made worse, and of repaired ones."""
    rng, chance = np.random.default_rng(_SEED), torch.Generator().manual_seed(_SEED)
    rows, concepts = [], list[frozenset[Concept]]()
    batches = list(_batches(shown, rng))
    for number, batch in enumerate(tqdm(batches, desc="features", mininterval=5)):
        pixels = augmented(np.stack([picture_of(shown, one) for one in batch]), chance)
        if autoencoder is not None and number % _ROUND_TRIPS == 0:
            pixels = round_trip(autoencoder, pixels)
        arrays = pixels.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
        rows.append(encoder.encode([Image.fromarray(array) for array in arrays]))
        concepts += [concepts_of(shown, one) for one in batch]
    return Features(
        torch.cat(rows),
        {concept: torch.tensor([concept in some for some in concepts]) for concept in Concept},
    )


def picture_of(shown: ScrutinyDrawings, one: int | Repaired) -> npt.NDArray[np.uint8]:
    return shown.picture(one) if isinstance(one, int) else one.picture


def concepts_of(shown: ScrutinyDrawings, one: int | Repaired) -> frozenset[Concept]:
    """What the heads are to find in a drawing, or after its repair."""
    if isinstance(one, int):
        return shown.scene(one).concepts
    return shown.scene(one.index).concepts - {one.removed}


@torch.inference_mode()
def round_trip(autoencoder: Any, pixels: torch.Tensor) -> torch.Tensor:
    """`pixels` (n, 3, h, w), 0 to 1, as the painter's decoder would give them."""
    latents = autoencoder.encode(pixels * 2 - 1).latent_dist.mode()
    again: torch.Tensor = autoencoder.decode(latents).sample
    return (again / 2 + 0.5).clamp(0, 1)


def _batches(shown: ScrutinyDrawings, rng: np.random.Generator) -> Iterator[list[int | Repaired]]:
    everything: list[int | Repaired] = [
        *range(len(shown)),
        *(shown.repaired(rng) for _ in range(round(_REPAIRED * len(shown)))),
    ]
    order = rng.permutation(len(everything))
    for start in range(0, len(order), _BATCH):
        yield [everything[at] for at in order[start : start + _BATCH]]
