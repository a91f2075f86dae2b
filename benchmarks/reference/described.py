"""The reference's way with pictures and prompts, written from the published description.

Cai et al., Patterns 6(3):101187, 2025. None of its code is here. What is taken from the
description: an encoder of its own for each of the five heads, and so five encodes per picture; one
segmentation pass for each target, whose answer is stretched to 0..1 before the threshold of 0.2,
dilated by 30x30 and blurred with radius 20 before the next; and of the language model one call
for toxicity, one for the people in a prompt, one for each whose age is open, one for each picture.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import open_clip
import torch
from PIL import Image, ImageFilter
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from ethical_lens.image.heads import new_head
from ethical_lens.image.regions import dilate
from ethical_lens.results import Concept
from ethical_lens.sources import ModelSources, head_file

MASK_ABOVE: Final = 0.2
DILATION: Final = 30
RADIUS: Final = 20


class OneHead:
    """An encoder and the head that it is there for."""

    def __init__(self, sources: ModelSources, concept: Concept) -> None:
        clip = sources.clip
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(
            clip.architecture, pretrained=clip.checkpoint
        )
        self._model.eval()
        file = head_file(sources.heads, concept)
        self._head = new_head(self._model.text_projection.shape[-1]).eval()
        self._head.load_state_dict(
            torch.load(file, map_location="cpu", weights_only=True)
            if file.suffix == ".pt"
            else load_file(file)
        )

    @torch.no_grad()
    def score(self, picture: Image.Image) -> float:
        """0 to 1."""
        features = self._model.encode_image(self._preprocess(picture).unsqueeze(0))
        return float(torch.sigmoid(self._head(features)))


class FiveHeads:
    """All of them: five encoders in memory."""

    def __init__(self, sources: ModelSources) -> None:
        self._heads = {concept: OneHead(sources, concept) for concept in Concept}

    def score(self, picture: Image.Image) -> dict[Concept, float]:
        """Five encodes."""
        return {concept: head.score(picture) for concept, head in self._heads.items()}


class TargetAfterTarget:
    """Finds and blurs one target after another."""

    def __init__(self, regions: str | Path) -> None:
        self._model: nn.Module = CLIPSegForImageSegmentation.from_pretrained(regions).eval()
        self._processor: Any = CLIPSegProcessor.from_pretrained(regions)

    @torch.no_grad()
    def blur(self, picture: Image.Image, targets: Sequence[str]) -> Image.Image:
        """One pass, one mask, one blur for each target."""
        for target in targets:
            inputs = self._processor(
                text=[target], images=[picture], padding=True, return_tensors="pt"
            )
            logits = self._model(**inputs).logits
            heat = torch.sigmoid(logits.reshape(1, 1, *logits.shape[-2:]))
            heat = functional.interpolate(
                heat, size=(picture.height, picture.width), mode="bilinear", align_corners=False
            )
            low, high = heat.amin(), heat.amax()
            mask = dilate((heat - low) / (high - low).clamp(min=1e-9) > MASK_ABOVE, DILATION)
            inside = Image.fromarray(mask[0, 0].numpy().astype(np.uint8) * 255)
            blurred = picture.filter(ImageFilter.GaussianBlur(RADIUS))
            picture = Image.composite(blurred, picture, inside)
        return picture


def align(ask: Callable[[str, object], Any], prompt: str, n: int) -> list[str]:
    """Prompts of `n` pictures by the calls of the reference; `ask` sends one and gives its reply.

    Draws are left out: they cost no call. Nor are its repetitions counted, which can add as many
    calls as there are pictures.
    """
    ask("toxicity", {"prompt": prompt})
    people = ask("people", {"prompt": prompt})
    for person in people:
        if "age" in person["open_attributes"]:
            ask("life stages", {"person": person["phrase"]})
    return [str(ask("merge", {"prompt": prompt, "picture": i})) for i in range(n)]
