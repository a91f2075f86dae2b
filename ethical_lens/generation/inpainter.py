"""Paints a part of pictures anew, with the weights of a painter."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForInpainting
from PIL import Image

from ethical_lens.failures import RUN_FAILURES
from ethical_lens.generation.errors import GenerationError, PipelineUnavailable
from ethical_lens.generation.long_prompts import PromptReader
from ethical_lens.generation.memory import (
    OnStep,
    is_out_of_memory,
    out_of_memory,
    run_in_parts,
)
from ethical_lens.generation.painter import Painter, finite_pictures
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
        call = inspect.signature(type(self._pipeline).__call__)
        self._tells = "callback_on_step_end" in call.parameters
        self._painter = painter
        self._reader = PromptReader(painter.pipeline, Shape.of(type(painter.pipeline)))

    def repaint(
        self,
        requests: Sequence[PaintRequest],
        images: Sequence[Image.Image],
        masks: Sequence[Image.Image],
        strength: float,
        on_step: OnStep | None = None,
    ) -> list[Image.Image]:
        """Paint `requests[i]` (all of one batch key) into `images[i]` where `masks[i]` ("L", of the
        same size) is white; what is black is changed by a little, too: the whole picture goes
        through the autoencoder.

        `strength`: how far back towards noise the masked part goes, above 0 to 1. Prompts of any
        length are read, LoRA weights laid over the pipeline, batches that do not fit halved, and
        `on_step` told, as by the painter; its steps are those that are really taken. Raises
        `GenerationError` as `Painter.paint` does.
        """
        if not requests:
            return []
        apart = len({self._reader.windows(request) for request in requests}) > 1
        parts = [[i] for i in range(len(requests))] if apart else [list(range(len(requests)))]

        def run(part: Sequence[int], told: OnStep | None) -> np.ndarray:
            own, shown, marked = (
                [requests[i] for i in part], [images[i] for i in part], [masks[i] for i in part]
            )  # fmt: skip
            return self._run(own, shown, marked, strength, told)

        with self._painter.lora(requests[0].lora):
            pixels: list[np.ndarray] = run_in_parts(parts, run, on_step)
        return finite_pictures(pixels)

    def _run(
        self,
        requests: Sequence[PaintRequest],
        images: list[Image.Image],
        masks: list[Image.Image],
        strength: float,
        on_step: OnStep | None,
    ) -> np.ndarray:
        """Pixels, float (n, h, w, 3) in 0 to 1."""
        first, raised = requests[0], list[BaseException]()

        def at_end(pipeline: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if on_step is not None:
                try:
                    on_step(step + 1, pipeline.num_timesteps)
                except BaseException as error:
                    raised.append(error)
                    raise
            return {}

        try:
            pixels = self._pipeline(
                **self._reader.arguments(requests),
                image=images,
                mask_image=masks,
                generator=[torch.Generator("cpu").manual_seed(r.seed) for r in requests],
                width=first.width,
                height=first.height,
                # Of these only the share `strength` is taken, and one must be.
                num_inference_steps=max(first.steps, round(1 / strength + 0.5)),
                strength=strength,
                guidance_scale=first.guidance_scale,
                output_type="np",
                **({"callback_on_step_end": at_end} if self._tells else {}),
            ).images
        except RUN_FAILURES as error:
            if raised and error is raised[0]:
                raise
            if not is_out_of_memory(error):
                raise GenerationError(f"the pipeline failed at inpainting: {error}") from error
        else:
            return np.asarray(pixels)
        finally:
            raised.clear()  # else error, traceback and this frame keep each other, and tensors
        raise out_of_memory(len(requests), first.width, first.height)
