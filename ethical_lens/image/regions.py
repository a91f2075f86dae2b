"""CLIPSeg: where in a picture is what a text names?"""

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

    @torch.inference_mode()
    def find(self, image: Image.Image, query: str, settings: BlurSettings) -> Mask | None:
        """The region that `query` names, as a mask (height, width), or None if it is not there.

        A pixel belongs to the region where CLIPSeg's sigmoid is above `mask_threshold`, an
        absolute figure: the reference stretched every answer to 0..1 first and so found a region
        in every picture (fault F11). The region is then dilated.

        Raises `UnreadableRegions` where the model's numbers are not finite, `ModelFailed` where the
        picture cannot be read or the model fails.
        """
        with failures_translated(f"looking for {query!r}"):
            inputs = self._processor(
                text=[query], images=[image.convert("RGB")], return_tensors="pt", truncation=True
            )
            logits = self._model(**inputs.to(self._device)).logits.float()
        if not torch.isfinite(logits).all():
            raise UnreadableRegions(f"the answer for {query!r} is not finite")
        logits = functional.interpolate(
            logits.reshape(1, 1, *logits.shape[-2:]),
            size=(image.height, image.width),
            mode="bilinear",
            align_corners=False,
        )
        found = torch.sigmoid(logits) > settings.mask_threshold
        if not found.any():
            return None
        mask: Mask = dilate(found, scaled(settings.dilation, image))[0, 0].cpu().numpy()
        return mask


def dilate(mask: torch.Tensor, size: int) -> torch.Tensor:
    """Dilation of a boolean mask (1, 1, h, w) with a `size` x `size` square, origin centred."""
    if size <= 1:
        return mask
    before, after = size // 2, size - 1 - size // 2
    grown = functional.pad(mask.float(), (before, after, before, after))
    # A square is a row of a column: two passes of `size` instead of one of its square.
    grown = functional.max_pool2d(grown, (1, size), stride=1)
    return functional.max_pool2d(grown, (size, 1), stride=1) > 0
