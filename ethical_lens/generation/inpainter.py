"""Paints a part of pictures anew, with the weights of a painter."""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import AutoPipelineForInpainting
from PIL import Image

from ethical_lens.failures import RUN_FAILURES
from ethical_lens.generation.errors import GenerationError, PipelineUnavailable, UnusablePictures
from ethical_lens.generation.long_prompts import PromptReader
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.generation.shape import Shape
from ethical_lens.loading import LOAD_FAILURES


class Inpainter:
    """Shares every weight with its painter, and its scheduler: not for two threads at once.

    Raises `PipelineUnavailable` where diffusers cannot inpaint with a pipeline of that kind.
    """

    def __init__(self, painter: Painter) -> None:
        try:
            self._pipeline = AutoPipelineForInpainting.from_pipe(painter.pipeline)
        except LOAD_FAILURES as error:
            raise PipelineUnavailable(
                f"diffusers has no inpainting for {type(painter.pipeline).__name__}: {error}"
            ) from error
        self._pipeline.set_progress_bar_config(disable=True)
        self._reader = PromptReader(painter.pipeline, Shape.of(type(painter.pipeline)))

    def repaint(
        self,
        requests: Sequence[PaintRequest],
        images: Sequence[Image.Image],
        masks: Sequence[Image.Image],
        strength: float,
    ) -> list[Image.Image]:
        """Paint `requests[i]` (all of one batch key) into `images[i]` where `masks[i]` ("L", of the
        same size) is white; what is black is changed by a little, too: the whole picture goes
        through the autoencoder.

        `strength`: how far back towards noise the masked part goes, above 0 to 1. Prompts of any
        length are read as by the painter. Raises `GenerationError` as `Painter.paint` does.
        """
        if not requests:
            return []
        if len({self._reader.windows(request) for request in requests}) > 1:
            return [
                painted
                for request, image, mask in zip(requests, images, masks, strict=True)
                for painted in self.repaint([request], [image], [mask], strength)
            ]
        first = requests[0]
        try:
            pixels = self._pipeline(
                **self._reader.arguments(requests),
                image=list(images),
                mask_image=list(masks),
                generator=[torch.Generator("cpu").manual_seed(r.seed) for r in requests],
                width=first.width,
                height=first.height,
                # Of these only the share `strength` is taken, and one must be.
                num_inference_steps=max(first.steps, round(1 / strength + 0.5)),
                strength=strength,
                guidance_scale=first.guidance_scale,
                output_type="np",
            ).images
        except RUN_FAILURES as error:
            raise GenerationError(f"the pipeline failed at inpainting: {error}") from error
        broken = tuple(i for i, picture in enumerate(pixels) if not np.isfinite(picture).all())
        if broken:
            raise UnusablePictures(broken)
        return [Image.fromarray((picture * 255).round().astype(np.uint8)) for picture in pixels]
