"""CLIPScore: how well a picture fits a text (Hessel et al. 2021, without its factor of 2.5)."""

from collections.abc import Sequence
from typing import Any, Self

import torch
from PIL import Image
from torch.nn import functional

from ethical_lens.device import resolve_device
from ethical_lens.image.encoder import load_clip, load_tokenizer
from ethical_lens.image.errors import failures_translated
from ethical_lens.sources import ClipSource, DeviceName


class ClipScorer:
    """Scores pictures against texts with the encoder of a model set.

    The same encoder as that of scrutiny: scores compare arms of one run, not model sets.
    """

    def __init__(self, model: Any, preprocess: Any, tokenizer: Any, device: torch.device) -> None:
        self._model = model
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._device = device

    @classmethod
    def load(cls, source: ClipSource, device: DeviceName) -> Self:
        """Load encoder and tokenizer. Raises `ScrutinyUnavailable` where one is missing."""
        on = resolve_device(device)
        model, preprocess = load_clip(source, on)
        return cls(model, preprocess, load_tokenizer(source), on)

    @torch.inference_mode()
    def score(self, images: Sequence[Image.Image], texts: Sequence[str]) -> list[float]:
        """100 max(cos(image, text), 0) for each pair; 0 to 100, higher fits better.

        Raises `ModelFailed` where an image cannot be read or the encoder fails.
        """
        if not images:
            return []
        with failures_translated("scoring pictures against prompts"):
            batch = torch.stack([self._preprocess(image.convert("RGB")) for image in images])
            seen = self._model.encode_image(batch.to(self._device))
            said = self._model.encode_text(self._tokenizer(list(texts)).to(self._device))
            cosine = functional.cosine_similarity(seen.float(), said.float())
            if len(images) != len(texts) or not torch.isfinite(cosine).all():
                raise ValueError("as many texts as images are needed, and finite features")
            return [100 * value for value in cosine.clamp(0, 1).tolist()]
