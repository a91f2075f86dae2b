"""The frozen open_clip image encoder that all heads share (fault F6: the reference held five)."""

from collections.abc import Sequence
from typing import Any, Self

import open_clip
import torch
from PIL import Image

from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import ClipSource


class ImageEncoder:
    """Images in, un-normalised features out, in float32.

    `dimension` is the number of features (768 for ViT-L/14).
    """

    def __init__(self, model: Any, preprocess: Any, device: torch.device) -> None:
        self._model = model
        self._preprocess = preprocess
        self._device = device
        self.dimension = int(model.text_projection.shape[-1])

    @classmethod
    def load(cls, source: ClipSource, device: torch.device) -> Self:
        """Load from the local checkpoint; pickled code in a `.pt` file is never run.

        Raises `ScrutinyUnavailable` where the checkpoint is missing, damaged or of another
        architecture.
        """
        if not source.checkpoint.is_file():
            raise ScrutinyUnavailable(
                f"clip.checkpoint: no file at {source.checkpoint}. Save the weights of "
                f"{source.architecture} there as safetensors or as a plain state dict."
            )
        if source.config is not None:
            open_clip.add_model_config(source.config)
        try:
            # The architecture draws initial weights before the checkpoint is read.
            with torch.random.fork_rng(devices=[]):
                model, _, preprocess = open_clip.create_model_and_transforms(
                    source.architecture, pretrained=str(source.checkpoint), weights_only=True
                )
        except LOAD_FAILURES as error:
            raise ScrutinyUnavailable(
                f"clip: {source.checkpoint} cannot be loaded as {source.architecture}: {error}\n"
                "Name the architecture the checkpoint was trained with, and save it as "
                "safetensors or as a plain state dict (not as a TorchScript archive)."
            ) from error
        model.requires_grad_(False)
        return cls(model.eval().to(device), preprocess, device)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Features, float32 (n, `dimension`), on the CPU, in one pass over all `images`.

        Each image is resized to the encoder's size along its shorter side and cropped to the
        centre square (see `views` for what that leaves out).
        """
        if not images:
            return torch.empty(0, self.dimension)
        batch = torch.stack([self._preprocess(image.convert("RGB")) for image in images])
        features: torch.Tensor = self._model.encode_image(batch.to(self._device), normalize=False)
        return features.float().cpu()
