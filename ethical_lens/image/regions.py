"""CLIPSeg: where in a picture is what a text names?"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from ethical_lens.device import resolve_device
from ethical_lens.image.blur import scaled
from ethical_lens.image.errors import (
    ScrutinyUnavailable,
    UnreadableRegions,
    failures_translated,
)
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.policy import BlurSettings
from ethical_lens.sources import DeviceName

Mask = npt.NDArray[np.bool_]


class RegionFinder:
    """Finds regions (Lüddecke & Ecker, CLIPSeg, 2022; reference `CIDAS/clipseg-rd64-refined`)."""

    def __init__(self, model: Any, processor: Any, device: torch.device) -> None:
        self._model = model
        self._processor = processor
        self._device = device

    @classmethod
    def load(cls, source: str, device: DeviceName = "auto") -> Self:
        """Load `source`, a local folder or a hub id.

        Raises `ScrutinyUnavailable` with what is missing and how to get it.
        """
        try:
            on = resolve_device(device)
            with torch.random.fork_rng(devices=[]):
                model = CLIPSegForImageSegmentation.from_pretrained(source)
            processor = CLIPSegProcessor.from_pretrained(source)
        except LOAD_FAILURES as error:
            raise ScrutinyUnavailable(
                f"regions: {source!r} cannot be loaded as CLIPSeg with its processor: {error}\n"
                "Fetch the model (`hf download CIDAS/clipseg-rd64-refined --local-dir DIR`) and "
                "name DIR in the file of model sources."
            ) from error
        model.requires_grad_(False)
        return cls(model.eval().to(on), processor, on)

    def find(self, image: Image.Image, query: str, settings: BlurSettings) -> Mask | None:
        """The region that `query` names, as `find_all` finds it."""
        (mask,) = self.find_all(image, [query], settings)
        return mask

    @torch.inference_mode()
    def find_all(
        self, image: Image.Image, queries: Sequence[str], settings: BlurSettings
    ) -> list[Mask | None]:
        """The region that each of `queries` names, as a mask (height, width), or None if it is not
        there. `image` is looked at once, whatever their number.

        A pixel belongs to the region where CLIPSeg's sigmoid is above `mask_threshold`, an
        absolute figure: the reference stretched every answer to 0..1 first and so found a region
        in every picture (fault F11). The region is then dilated.

        Raises `UnreadableRegions` where the model's numbers are not finite, `ModelFailed` where the
        picture cannot be read or the model fails.
        """
        if not queries:
            return []
        with failures_translated(f"looking for {', '.join(map(repr, queries))}"):
            logits = self._logits(image.convert("RGB"), queries)
        masks: list[Mask | None] = []
        for query, answer in zip(queries, logits, strict=True):
            if not torch.isfinite(answer).all():
                raise UnreadableRegions(f"the answer for {query!r} is not finite")
            # One at a time: the answers of a large picture need not all lie in memory at once.
            whole = functional.interpolate(
                answer[None, None],
                size=(image.height, image.width),
                mode="bilinear",
                align_corners=False,
            )
            found = torch.sigmoid(whole) > settings.mask_threshold
            grown = dilate(found, scaled(settings.dilation, image)) if found.any() else None
            masks.append(None if grown is None else grown[0, 0].cpu().numpy())
        return masks

    def _logits(self, image: Image.Image, queries: Sequence[str]) -> torch.Tensor:
        """Answers (k, side, side) to k queries: what the model's own `forward` gives for k copies
        of the picture, with one pass of its picture encoder instead of k."""
        model, k = self._model, len(queries)
        inputs = self._processor(
            text=list(queries),
            images=[image],
            return_tensors="pt",
            padding=True,
            truncation=True,
        ).to(self._device)
        seen = model.clip.get_image_features(inputs.pixel_values, output_hidden_states=True)
        layers = [seen.hidden_states[i + 1].expand(k, -1, -1) for i in model.extract_layers]
        meant = model.get_conditional_embeddings(
            batch_size=k, input_ids=inputs.input_ids, attention_mask=inputs.attention_mask
        )
        logits: torch.Tensor = model.decoder(layers, meant).logits
        return logits.float().reshape(k, *logits.shape[-2:])


def dilate(mask: torch.Tensor, size: int) -> torch.Tensor:
    """Dilation of a boolean mask (1, 1, h, w) with a `size` x `size` square, origin centred."""
    if size <= 1:
        return mask
    before, after = size // 2, size - 1 - size // 2
    grown = functional.pad(mask.float(), (before, after, before, after))
    # A square is a row of a column: two passes of `size` instead of one of its square.
    grown = functional.max_pool2d(grown, (1, size), stride=1)
    return functional.max_pool2d(grown, (size, 1), stride=1) > 0
