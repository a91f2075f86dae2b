"""A diffusers pipeline that is loaded once and paints batches of different prompts."""

import gc
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import diffusers
import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from ethical_lens.device import resolve_device, resolve_dtype
from ethical_lens.generation.errors import (
    GenerationError,
    OutOfMemory,
    PipelineUnavailable,
    UnusablePictures,
)
from ethical_lens.generation.request import PaintRequest
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import DeviceName, DtypeName

OnStep = Callable[[int, int], None]

NEEDED = {
    "prompt",
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "generator",
    "output_type",
    "callback_on_step_end",
}
"""Call arguments of every SD- and SDXL-shaped pipeline."""

RUN_FAILURES = (
    RuntimeError,
    MemoryError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    OSError,
)
"""What torch and diffusers raise while they paint."""


class Painter:
    """Paints with one pipeline. Not for two threads at once: schedulers hold the state of a run."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        pipeline.set_progress_bar_config(disable=True)

    @property
    def pipeline(self) -> Any:
        """The pipeline itself, for what else can be done with its weights."""
        return self._pipeline

    @classmethod
    def load(
        cls, source: str | Path, device: DeviceName = "auto", dtype: DtypeName = "auto"
    ) -> Self:
        """Load `source`, a local folder or a hub id, without its safety checker: the scrutiny of
        this project takes its place.

        Raises `PipelineUnavailable` with what is missing and how to get it.
        """
        local = Path(source).is_dir()
        try:
            on = resolve_device(device)
            index = DiffusionPipeline.load_config(source, local_files_only=local)
            options = _options(index)
            # Models draw initial weights before the stored ones are read.
            with torch.random.fork_rng(devices=[]):
                pipeline = DiffusionPipeline.from_pretrained(
                    source,
                    dtype=resolve_dtype(dtype, on),
                    local_files_only=local,
                    **options,
                )
            return cls(pipeline.to(on))
        except LOAD_FAILURES as error:
            raise PipelineUnavailable(_how_to_get(str(source), local, error)) from error

    def paint(
        self, requests: Sequence[PaintRequest], on_step: OnStep | None = None
    ) -> list[Image.Image]:
        """Paint one batch; picture i (RGB) belongs to `requests[i]`.

        Every picture has its own generator on the CPU, so its noise depends on its seed alone:
        not on the device, the batch or any global generator. The arithmetic of a batch still
        rounds differently from that of a single picture, so pixels agree to within rounding
        (`tests/ethical_lens/generation` holds the bound).

        `on_step(step, total)` is called after each denoising step, `step` from 1 to `total`; what
        it raises ends the run and reaches the caller as it is.

        Raises `ValueError` where sizes, steps or guidance differ within the batch, `OutOfMemory`,
        `UnusablePictures` where a picture is not finite (diffusers would return it black), and
        `GenerationError` for other failures of the pipeline.
        """
        if not requests:
            return []
        if len({request.batch_key for request in requests}) > 1:
            raise ValueError("a batch shares one width, height, number of steps and guidance scale")
        pixels = self._run(requests, on_step)
        broken = tuple(i for i, picture in enumerate(pixels) if not np.isfinite(picture).all())
        if broken:
            raise UnusablePictures(broken)
        return [Image.fromarray((picture * 255).round().astype(np.uint8)) for picture in pixels]

    def _run(self, requests: Sequence[PaintRequest], on_step: OnStep | None) -> np.ndarray:
        """Pixels, float (n, h, w, 3) in 0 to 1, or NaN where latents were not finite."""
        first, raised = requests[0], list[BaseException]()
        # The last latents count: decoding and clamping can turn an infinity into a plain colour.
        finite: list[bool] = []

        def callback(pipeline: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            total = pipeline.num_timesteps
            if step + 1 == total:
                finite.extend(torch.isfinite(tensors["latents"]).flatten(1).all(dim=1).tolist())
            if on_step is not None:
                try:
                    on_step(step + 1, total)
                except BaseException as error:
                    raised.append(error)
                    raise
            return {}

        try:
            pixels = self._pipeline(
                prompt=[request.prompt for request in requests],
                # Always a list: SDXL treats None and "" unlike, which would make one picture
                # depend on whether its neighbours have a negative prompt.
                negative_prompt=[request.negative_prompt for request in requests],
                generator=[torch.Generator("cpu").manual_seed(r.seed) for r in requests],
                width=first.width,
                height=first.height,
                num_inference_steps=first.steps,
                guidance_scale=first.guidance_scale,
                output_type="np",
                callback_on_step_end=callback,
            ).images
        except RUN_FAILURES as error:
            if raised and error is raised[0]:
                raise
            if not _is_out_of_memory(error):
                raise GenerationError(f"the pipeline failed: {error}") from error
        else:
            pixels[~np.array(finite)] = np.nan
            return np.asarray(pixels)
        finally:
            raised.clear()  # else error, traceback and this frame keep each other, and tensors
        # Outside the handler: the error's traceback, which holds the tensors, is gone by now.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(
            f"{len(requests)} pictures of {first.width}x{first.height} do not fit in memory"
        )


def _options(index: dict[str, Any]) -> dict[str, Any]:
    name = index.get("_class_name")
    pipeline_class = getattr(diffusers, name, None) if isinstance(name, str) else None
    if pipeline_class is None:
        raise ValueError(f"its model_index.json names {name!r}, which diffusers does not have")
    missing = NEEDED - set(inspect.signature(pipeline_class.__call__).parameters)
    if missing:
        raise ValueError(
            f"{name} is not shaped like Stable Diffusion or SDXL: it takes no "
            f"{', '.join(sorted(missing))}"
        )
    if "safety_checker" in inspect.signature(pipeline_class.__init__).parameters:
        return {"safety_checker": None, "requires_safety_checker": False}
    return {}


def _how_to_get(source: str, local: bool, error: Exception) -> str:
    if local:
        advice = (
            "The folder must hold a whole diffusers pipeline (model_index.json and the weights of "
            "each part), as `save_pretrained` or `hf download` writes it."
        )
    else:
        advice = (
            "It is not a local folder, so it was looked up as a hub id. Fetch it first with "
            f"`hf download {source} --local-dir DIR` and name DIR in the file of "
            "model sources (HF_HUB_OFFLINE=1 forbids downloads)."
        )
    return f"The pipeline {source!r} cannot be loaded: {error}\n{advice}"


def _is_out_of_memory(error: Exception) -> bool:
    # On the CPU torch raises a plain RuntimeError from its allocator.
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "can't allocate memory" in str(error)
    )
