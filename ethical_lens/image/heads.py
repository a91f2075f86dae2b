"""The concept heads of the method: one small network per concept on shared features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file
from torch import nn

from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.results import Concept
from ethical_lens.sources import SourcesError, head_file


def new_head(dimension: int) -> nn.Sequential:
    """An untrained head for `dimension` features; gives one logit per row.

    Shape and key names of the published checkpoints (reference code `yuzhu-cai/Ethical-Lens`),
    whose first layer is 768 -> 384.
    """
    hidden = dimension // 2
    return nn.Sequential(
        nn.Linear(dimension, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.BatchNorm1d(hidden),
        nn.Linear(hidden, 1),
    )


class Heads:
    """All five heads, in evaluation mode, on the CPU: they are a thousandth of the encoder."""

    def __init__(self, heads: Mapping[Concept, nn.Sequential]) -> None:
        self._heads = dict(heads)
        for head in self._heads.values():
            head.eval().requires_grad_(False)

    @classmethod
    def load(cls, directory: Path, dimension: int) -> Self:
        """Load `<concept>.safetensors` or `<concept>.pt` for every `Concept`.

        Raises `ScrutinyUnavailable` where one is missing, damaged, not finite, or made for
        another number of features than `dimension`.
        """
        return cls({concept: _load(directory, concept, dimension) for concept in Concept})

    @torch.inference_mode()
    def scores(self, features: torch.Tensor) -> dict[Concept, torch.Tensor]:
        """Sigmoid scores (n,) per concept for `features` (n, d); what is not finite stays so."""
        return {
            concept: torch.sigmoid(head(features)).squeeze(1)
            for concept, head in self._heads.items()
        }


def _load(directory: Path, concept: Concept, dimension: int) -> nn.Sequential:
    try:
        file = head_file(directory, concept)
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
        with torch.random.fork_rng(devices=[]):
            head = new_head(dimension)
        head.load_state_dict(state)
    except SourcesError as error:
        raise ScrutinyUnavailable(str(error)) from error
    except LOAD_FAILURES as error:
        raise ScrutinyUnavailable(
            f"heads: {file} is not a head for {dimension} features: {error}\n"
            "Heads belong to the encoder they were trained on; the published ones to OpenAI's "
            "ViT-L/14 (768 features)."
        ) from error
    if not all(torch.isfinite(value).all() for value in head.state_dict().values()):
        raise ScrutinyUnavailable(f"heads: {file} holds weights that are not finite. Replace it.")
    return head
