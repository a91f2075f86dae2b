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
from ethical_lens.mini.training.pieces import in_pieces
from ethical_lens.mini.training.repainting import REPAINTED, Repainted, repaint
from ethical_lens.mini.training.scrutiny import COUNT, Repaired, ScrutinyDrawings
from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.sources import digest_of
from ethical_lens.training.heads.fitting import HeadTraining, save_heads, train_head

STEPS: Final = 6000
_SEED: Final = 304
_BATCH: Final = 64
_REPAIRED: Final = 0.5
"""Repaired drawings, in parts of the others."""
_ROUND_TRIPS: Final = 8
"""Of this many batches one goes through the painter's autoencoder, where there is one."""


class Features(NamedTuple):
    """`features` (n, d), what each picture shows, (n,) by concept, and which the painter made."""

    features: torch.Tensor
    labels: dict[Concept, torch.Tensor]
    painted: torch.Tensor


def train_heads(
    work: Path,
    out: Path,
    *,
    steps: int = STEPS,
    drawings: int = COUNT,
    repainted: int = REPAINTED,
) -> None:
    """Train on features of the encoder beside `out` (`clip`) and save to `out`.

    The pictures are made worse as generated ones are; where the painter lies beside `out`
    (`pipeline`), some go through its autoencoder, and `repainted` portraits are its own work.
    Drawings whose region the product has blurred show what was blurred no more.
    """
    clip, pipeline = out.with_name("clip"), out.with_name("pipeline")
    encoder = ImageEncoder.load(clip_source(clip), torch.device("cpu"))
    shown = ScrutinyDrawings(work, drawings)
    kept = work / f"features-{drawings}-{_short(clip)}"
    if pipeline.exists():
        autoencoder = AutoencoderKL.from_pretrained(pipeline / "vae", dtype=torch.float32)
        painted = repaint(work, pipeline, repainted)
        kept = kept.with_name(f"{kept.name}-{repainted}-{_short(pipeline)}")
        found = features_of(kept, shown, encoder, autoencoder, painted)
    else:
        found = features_of(kept, shown, encoder)
    thresholds = Policy().thresholds
    heads = {}
    for concept, labels in found.labels.items():
        trained = train_head(
            found.features,
            labels,
            threshold=thresholds[concept.value],
            settings=HeadTraining(steps=steps, seed=_SEED),
            name=concept.value,
            weights=even(labels, found.painted),
        )
        tqdm.write(f"{concept.value}: {trained.held_out}")
        heads[concept] = trained.head
    save_heads(heads, out)


def features_of(
    kept: Path,
    shown: ScrutinyDrawings,
    encoder: ImageEncoder,
    autoencoder: Any = None,
    painted: Repainted | None = None,
) -> Features:
    """Features and labels of all drawings, made worse, of repaired ones, and of those `painted`.

    The features are kept in files whose names begin with `kept`.
    """
    batches = list(_batches(shown, np.random.default_rng(_SEED)))
    concepts = [concepts_of(shown, one) for batch in batches for one in batch]

    def of_drawings(number: int) -> npt.NDArray[np.float32]:
        chance = torch.Generator().manual_seed(_SEED * 1_000_003 + number)
        pictures = np.stack([picture_of(shown, one) for one in batches[number]])
        pixels = augmented(pictures, chance)
        if autoencoder is not None and number % _ROUND_TRIPS == 0:
            pixels = round_trip(autoencoder, pixels)
        return encoder.encode(_images(pixels)).numpy()

    rows = [in_pieces(kept.with_name(f"{kept.name}-drawn.npy"), len(batches), of_drawings)]
    drawn = len(concepts)
    if painted is not None:
        scaled = torch.from_numpy(painted.latents).float() / autoencoder.config.scaling_factor
        pieces = scaled.split(_BATCH)

        def of_painted(number: int) -> npt.NDArray[np.float32]:
            return encoder.encode(_images(_decoded(autoencoder, pieces[number]))).numpy()

        file = kept.with_name(f"{kept.name}-painted.npy")
        rows.append(in_pieces(file, len(pieces), of_painted))
        concepts += [painted.drawings[int(index)].concepts for index in painted.indices]
    return Features(
        torch.from_numpy(np.concatenate(rows)),
        {concept: torch.tensor([concept in some for some in concepts]) for concept in Concept},
        torch.arange(len(concepts)) >= drawn,
    )


def _short(folder: Path) -> str:
    return digest_of(str(folder)).removeprefix("sha256:")[:8]


def even(labels: torch.Tensor, painted: torch.Tensor) -> torch.Tensor:
    """Weights (n,) with which painted pictures are as frequent among the rows without what
    `labels` say as among those with it: that a picture is painted must not tell the answer."""
    weights = torch.ones(len(labels))
    share = painted[labels].float().mean()
    own, others = ~labels & painted, ~labels & ~painted
    if 0 < share < 1 and own.any():
        weights[own] = share / (1 - share) * others.sum() / own.sum()
    return weights


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
    return _decoded(autoencoder, autoencoder.encode(pixels * 2 - 1).latent_dist.mode())


@torch.inference_mode()
def _decoded(autoencoder: Any, latents: torch.Tensor) -> torch.Tensor:
    decoded: torch.Tensor = autoencoder.decode(latents).sample
    return (decoded / 2 + 0.5).clamp(0, 1)


def _images(pixels: torch.Tensor) -> list[Image.Image]:
    arrays = pixels.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(array) for array in arrays]


def _batches(shown: ScrutinyDrawings, rng: np.random.Generator) -> Iterator[list[int | Repaired]]:
    everything: list[int | Repaired] = [
        *range(len(shown)),
        *(shown.repaired(rng) for _ in range(round(_REPAIRED * len(shown)))),
    ]
    order = rng.permutation(len(everything))
    for start in range(0, len(order), _BATCH):
        yield [everything[at] for at in order[start : start + _BATCH]]
