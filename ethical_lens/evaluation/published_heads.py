"""Two small published networks on CLIP features: LAION's aesthetic and NSFW predictors, by path.

Both are MIT. Both want normalised image features of OpenAI's ViT-L/14 (768) or ViT-B/32 (512), the
encoder that scrutiny has in a model set of the reference; other features are refused.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from ethical_lens.evaluation.records import AESTHETIC, CLIP_NSFW
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyUnavailable, failures_translated
from ethical_lens.loading import LOAD_FAILURES

_SHAPES: Final = {768: (64, 512, 256, 1), 512: (32, 32, 1)}
"""Widths of the NSFW network's layers by features (LAION-AI/CLIP-based-NSFW-Detector, models)."""


class Instrument(Protocol):
    """Measures one number on a picture. `name` is what records call it."""

    name: str

    def measure(self, images: Sequence[Image.Image]) -> list[float]:
        """A number per image. Raises `ScrutinyError`."""


class _NsfwNetwork(nn.Module):
    """Names and shapes of the published state dicts; the same arithmetic."""

    mean: torch.Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.Module()
        self.norm.register_buffer("mean", torch.zeros(features))
        self.norm.register_buffer("variance", torch.ones(features))
        self._layers = len(_SHAPES[features])
        before = features
        for number, width in enumerate(_SHAPES[features], start=1):
            self.add_module(f"linear_{number}", nn.Linear(before, width))
            before = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean, variance = self.norm.mean, self.norm.variance
        assert isinstance(mean, torch.Tensor)
        assert isinstance(variance, torch.Tensor)
        x = (x - mean) / (variance.sqrt() + 1e-10)
        for number in range(1, self._layers + 1):
            x = self.get_submodule(f"linear_{number}")(x)
            x = torch.sigmoid(x) if number == self._layers else functional.relu(x)
        return x


class PublishedHead:
    """A network on the normalised features of `encoder`."""

    def __init__(self, name: str, network: nn.Module, encoder: ImageEncoder) -> None:
        self.name = name
        self._network = network.eval().requires_grad_(False)
        self._encoder = encoder

    @classmethod
    def aesthetic(cls, file: Path, encoder: ImageEncoder) -> Self:
        """LAION's linear predictor (`sa_0_4_vit_l_14_linear.pth`), about 1 to 10.

        Raises `ScrutinyUnavailable` where the file is none for the features of `encoder`.
        """
        network = nn.Linear(encoder.dimension, 1)
        return cls(AESTHETIC, _filled(AESTHETIC, network, file), encoder)

    @classmethod
    def clip_nsfw(cls, file: Path, encoder: ImageEncoder) -> Self:
        """LAION's NSFW network (`clip_ViT-L-14_openai_binary_nsfw_head.pth`), 0 to 1.

        Raises `ScrutinyUnavailable` where the file is none for the features of `encoder`.
        """
        if encoder.dimension not in _SHAPES:
            raise ScrutinyUnavailable(
                f"{CLIP_NSFW}: the encoder has {encoder.dimension} features; the published "
                f"networks are for {' and '.join(map(str, _SHAPES))}"
            )
        network = _NsfwNetwork(encoder.dimension)
        return cls(CLIP_NSFW, _filled(CLIP_NSFW, network, file), encoder)

    @torch.inference_mode()
    def measure(self, images: Sequence[Image.Image]) -> list[float]:
        """A number per image. Raises `ModelFailed`, also for one that is not finite."""
        if not images:
            return []
        with failures_translated(f"measuring {self.name}"):
            features = functional.normalize(self._encoder.encode(images), dim=1)
            found = self._network(features).squeeze(1)
            if not torch.isfinite(found).all():
                raise ValueError("the numbers are not finite")
            return [float(value) for value in found.tolist()]


def _filled(name: str, network: nn.Module, file: Path) -> nn.Module:
    try:
        state: Mapping[str, torch.Tensor] = (
            load_file(file)
            if file.suffix == ".safetensors"
            else torch.load(file, map_location="cpu", weights_only=True)
        )
        network.load_state_dict(state)
    except LOAD_FAILURES as error:
        raise ScrutinyUnavailable(
            f"{name}: {file} cannot be loaded for these features: {error}\n"
            "It must be the published network for the encoder of the model set."
        ) from error
    return network
