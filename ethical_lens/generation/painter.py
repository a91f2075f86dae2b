"""A diffusers pipeline that is loaded once and paints batches of different prompts."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

import diffusers
import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from ethical_lens.device import resolve_device, resolve_dtype
from ethical_lens.failures import RUN_FAILURES
from ethical_lens.generation.errors import (
    GenerationError,
    LoraUnavailable,
    PipelineUnavailable,
    UnusablePictures,
)
from ethical_lens.generation.long_prompts import PromptReader
from ethical_lens.generation.loras import lora_applied
from ethical_lens.generation.memory import (
    OnStep,
    is_out_of_memory,
    out_of_memory,
    run_in_parts,
)
from ethical_lens.generation.request import PaintRequest
from ethical_lens.generation.shape import Shape
from ethical_lens.loading import LOAD_FAILURES
from ethical_lens.sources import DeviceName, DtypeName, LoraSource, ModelSources


class Painter:
    """Paints with one pipeline. Not for two threads at once: schedulers hold the state of a run."""

    def __init__(self, pipeline: Any, loras: Mapping[str, LoraSource] | None = None) -> None:
        """Take `pipeline` over: without its safety checker, whose place scrutiny takes.

        Raises `ValueError` for a pipeline that does not paint pictures from text.
        """
        self._pipeline, self._loras = pipeline, dict(loras or {})
        self._shape = Shape.of(type(pipeline))
        self._reader = PromptReader(pipeline, self._shape)
        if getattr(pipeline, "safety_checker", None) is not None:
            pipeline.safety_checker = None
        pipeline.set_progress_bar_config(disable=True)

    @property
    def pipeline(self) -> Any:
        """The pipeline itself, for what else can be done with its weights."""
        return self._pipeline

    @property
    def device(self) -> str:
        """Where it paints: "cpu" or "cuda"."""
        return str(self._pipeline.device.type)

    @property
    def dtype(self) -> str:
        """What it computes with, such as "float32"."""
        return str(self._pipeline.dtype).removeprefix("torch.")

    @classmethod
    def load(
        cls,
        source: str | Path,
        device: DeviceName = "auto",
        dtype: DtypeName = "auto",
        loras: Mapping[str, LoraSource] | None = None,
    ) -> Self:
        """Load `source`, a local folder or a hub id, without its safety checker. Of `loras`, by the
        names that requests use, nothing is loaded yet.

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
            return cls(pipeline.to(on), loras)
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

        Prompts beyond what the text encoder reads at once are painted apart from the others, and
        where memory runs out the batch is halved. `on_step(step, total)` is called after each
        denoising step, `step` from 1 to `total`: the steps of one part after another, so that both
        grow with the parts, and `step` goes back where a part must be painted anew. What it
        raises ends the run and reaches the caller as it is.

        Raises `ValueError` where sizes, steps, guidance or LoRA differ within the batch,
        `LoraUnavailable`, `PromptTooLong`, `OutOfMemory` where not even one picture fits,
        `UnusablePictures` where a picture is not finite (diffusers would return it black), and
        `GenerationError` for other failures of the pipeline.
        """
        if not requests:
            return []
        if len({request.batch_key for request in requests}) > 1:
            raise ValueError(
                "a batch shares one width, height, number of steps, guidance scale and LoRA"
            )
        parts = self._parts(requests)
        with self.lora(requests[0].lora):
            pixels: list[np.ndarray] = run_in_parts(
                parts,
                lambda part, told: self._run([requests[i] for i in part], told),
                on_step,
            )
        return finite_pictures(pixels)

    def lora(self, name: str) -> AbstractContextManager[None]:
        """For the block, the LoRA weights of that name lie over the pipeline; empty: none.

        Raises `LoraUnavailable`, for a name that is not known at once.
        """
        if not name:
            return nullcontext()
        if name not in self._loras:
            known = ", ".join(sorted(self._loras)) or "none"
            raise LoraUnavailable(f"no LoRA of this pipeline is named {name!r}; there is: {known}")
        return lora_applied(self._pipeline, name, self._loras[name])

    def _parts(self, requests: Sequence[PaintRequest]) -> list[list[int]]:
        """The places of `requests` that may be painted together."""
        if not self._shape.takes("negative_prompt") and any(r.negative_prompt for r in requests):
            raise GenerationError(
                f"{self._shape.name} takes no negative prompt: leave it out or name another model"
            )
        parts: dict[int, list[int]] = {}
        for place, request in enumerate(requests):
            parts.setdefault(self._reader.windows(request), []).append(place)
        return list(parts.values())

    def _run(self, requests: Sequence[PaintRequest], on_step: OnStep | None) -> np.ndarray:
        """Pixels, float (n, h, w, 3) in 0 to 1, or NaN where latents were not finite."""
        first, raised = requests[0], list[BaseException]()
        # The last latents count: decoding and clamping can turn an infinity into a plain colour.
        finite: list[bool] = []

        def at_step(step: int, total: int, latents: torch.Tensor) -> None:
            if step >= total:
                finite[:] = torch.isfinite(latents).flatten(1).all(dim=1).tolist()
            if on_step is not None:
                try:
                    on_step(step, total)
                except BaseException as error:
                    raised.append(error)
                    raise

        try:
            pixels = self._pipeline(
                **self._reader.arguments(requests),
                generator=[torch.Generator("cpu").manual_seed(r.seed) for r in requests],
                width=first.width,
                height=first.height,
                num_inference_steps=first.steps,
                output_type="np",
                **self._options(first),
                **self._callback(at_step),
            ).images
        except RUN_FAILURES as error:
            if raised and error is raised[0]:
                raise
            if not is_out_of_memory(error):
                raise GenerationError(f"the pipeline failed: {error}") from error
        else:
            pixels = np.asarray(pixels)
            if finite:
                pixels[~np.array(finite)] = np.nan
            return pixels
        finally:
            raised.clear()  # else error, traceback and this frame keep each other, and tensors
        raise out_of_memory(len(requests), first.width, first.height)

    def _options(self, request: PaintRequest) -> dict[str, Any]:
        """Call arguments that some pipelines have and others have not."""
        wanted = {
            "guidance_scale": request.guidance_scale,
            # Else PixArt and Sana paint in a size of their own choice and scale the picture.
            "use_resolution_binning": False,
            # Else they can rewrite the prompt after it was scrutinised.
            "clean_caption": False,
        }
        return {name: value for name, value in wanted.items() if self._shape.takes(name)}

    def _callback(self, at_step: Callable[[int, int, torch.Tensor], None]) -> dict[str, Any]:
        """The call arguments by which the pipeline tells of its steps."""

        def at_end(pipeline: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            at_step(step + 1, pipeline.num_timesteps, tensors["latents"])
            return {}

        def older(step: int, _: Any, latents: torch.Tensor) -> None:
            scheduler = self._pipeline.scheduler
            total = len(scheduler.timesteps) // getattr(scheduler, "order", 1)
            at_step(step + 1, total, latents)

        if self._shape.takes("callback_on_step_end"):
            return {"callback_on_step_end": at_end}
        return {"callback": older, "callback_steps": 1}


def finite_pictures(pixels: Sequence[np.ndarray]) -> list[Image.Image]:
    """Pictures (RGB) of pixels (h, w, 3), 0 to 1.

    Raises `UnusablePictures` with the places of those that are not finite.
    """
    broken = tuple(i for i, picture in enumerate(pixels) if not np.isfinite(picture).all())
    if broken:
        raise UnusablePictures(broken)
    return [Image.fromarray((picture * 255).round().astype(np.uint8)) for picture in pixels]


def load_painter(sources: ModelSources, name: str) -> Painter:
    """The pipeline that `sources` calls `name`, with the LoRA weights that belong to it.

    Raises `SourcesError` for an unknown name, `PipelineUnavailable` as `Painter.load` does.
    """
    source = sources.pipeline(name)
    return Painter.load(source, sources.device, sources.dtype, sources.loras_of(name))


def _options(index: dict[str, Any]) -> dict[str, Any]:
    name = index.get("_class_name")
    pipeline_class = getattr(diffusers, name, None) if isinstance(name, str) else None
    if pipeline_class is None:
        raise ValueError(f"its model_index.json names {name!r}, which diffusers does not have")
    Shape.of(pipeline_class)
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
