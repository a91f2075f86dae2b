"""Models, loaded once per process and asked for wherever they are needed.

A failed load is not remembered: the stage that needed it fails its attempt, and the next tries
again. Heavy libraries are imported only by the workers whose queues need them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from django.conf import settings

from ethical_lens.sources import ModelSources, digest_of
from ethical_lens.text.aligner import PromptAligner
from ethical_lens.text.choose import LOCAL_LLM, load_aligner
from ethical_lens.text.llm.settings import LocalLlmSettings

if TYPE_CHECKING:
    from ethical_lens.generation.painter import Painter
    from ethical_lens.image.readings import ReadsFaces
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer

logger = logging.getLogger(__name__)


@cache
def sources() -> ModelSources:
    """Where the models of this installation lie."""
    return ModelSources.read(settings.ENVIRONMENT.models, settings.ENVIRONMENT.models_folder)


@cache
def aligner(name: str) -> PromptAligner:
    """The aligner that policies call `name`."""
    return load_aligner(name)


@cache
def painter(name: str) -> "Painter":
    """The pipeline that jobs call `name`."""
    from ethical_lens.generation.painter import load_painter

    found = load_painter(sources(), name)
    logger.info("pipeline %s paints on %s in %s", name, found.device, found.dtype)
    return found


@cache
def painter_digest(name: str) -> str:
    """Which weights `name` stands for."""
    return digest_of(sources().pipeline(name))


@cache
def lora_digest(name: str) -> str:
    """Which LoRA weights `name` stands for."""
    return digest_of(sources().loras[name].source)


@cache
def scrutineer() -> "Scrutineer":
    """The encoder with all its heads."""
    from ethical_lens.image.scrutineer import Scrutineer

    return Scrutineer.load(sources())


@cache
def region_finder() -> "RegionFinder":
    """Finds the regions to blur."""
    from ethical_lens.image.regions import RegionFinder

    return RegionFinder.load(sources().regions, sources().device)


@cache
def face_reader() -> "ReadsFaces":
    """Says who is under 20, and what faces look like."""
    from ethical_lens.image.face_readers import load_face_reader

    return load_face_reader(sources(), scrutineer(), region_finder())


def load_for(queues: Sequence[str]) -> tuple[dict[str, float], bool]:
    """Load what the queues need. Seconds per model, and whether all of them could be loaded."""
    needed: list[tuple[str, Callable[[], object]]] = []
    if "text" in queues:
        needed.append(("aligner rules", partial(aligner, "rules")))
        if LocalLlmSettings.wanted():
            needed.append((f"aligner {LOCAL_LLM}", partial(aligner, LOCAL_LLM)))
    if {"scrutinise", "generate"} & set(queues):
        needed.append(("model sources", sources))
    if "scrutinise" in queues:
        needed += [
            ("scrutineer", scrutineer),
            ("region finder", region_finder),
            ("face reader", face_reader),
        ]
    if "generate" in queues:
        for name in settings.DIFFUSION_MODELS:
            needed += [
                (f"pipeline {name}", partial(painter, name)),
                (f"digest of {name}", partial(painter_digest, name)),
            ]
    seconds: dict[str, float] = {}
    ready = True
    for name, load in needed:
        started = time.monotonic()
        try:
            load()
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker is not ready
            logger.error("%s could not be loaded: %s", name, error)
            ready = False
            if load is sources:
                break  # its error names every part that is missing
            continue
        seconds[name] = round(time.monotonic() - started, 3)
        logger.info("%s loaded in %.2f s", name, seconds[name])
    return seconds, ready
