"""Presets all the way: each loaded from disk and painted with, and each refused without weights.

The pipelines have the shapes of the published ones and random weights.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, EulerDiscreteScheduler, PNDMScheduler

from ethical_lens.generation.errors import PipelineUnavailable
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.image.regions import RegionFinder
from ethical_lens.sources import CLIP_FILES, ModelSources
from random_models import PIPELINE

pytestmark = [
    pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks` argument"),  # diffusers' own
]

CPU = torch.device("cpu")
SCHEDULERS = {
    "sd15": PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        skip_prk_steps=True, steps_offset=1,
    ),
    "sd-turbo": EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        timestep_spacing="trailing", steps_offset=1,
    ),
}  # fmt: skip
"""As published with these models."""


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of a hub that may not be asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def published(
    sources: ModelSources, sdxl_folder: Path, tmp_path: Path
) -> Callable[[str], ModelSources]:
    """Makes a folder with all parts of a preset and reads the preset from there."""

    def make(name: str) -> ModelSources:
        folder, named = tmp_path / "models", ModelSources.parse(name)
        pipeline = folder / named.pipeline(name)
        if name == "sdxl":
            shutil.copytree(sdxl_folder, pipeline)
        else:
            whole: Any = DiffusionPipeline.from_pretrained(
                sources.pipeline(PIPELINE), safety_checker=None
            )
            whole.scheduler = SCHEDULERS[name]
            whole.save_pretrained(pipeline)
        clip = folder / named.clip.checkpoint
        clip.mkdir(parents=True)
        shutil.copy(sources.clip.checkpoint, clip / CLIP_FILES[0])
        shutil.copytree(sources.heads, folder / named.heads)
        shutil.copytree(sources.regions, folder / named.regions)
        return ModelSources.read(name, folder)

    return make


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd-turbo"])
def test_a_preset_paints_with_its_own_defaults(
    published: Callable[[str], ModelSources], name: str
) -> None:
    found = published(name)
    given = found.pipelines[name]
    steps, told = min(given.steps, 3), list[tuple[int, int]]()
    requests = [
        PaintRequest(
            prompt=prompt, negative_prompt=negative, seed=seed, width=64, height=64,
            steps=steps, guidance_scale=given.guidance_scale,
        )
        for prompt, negative, seed in (
            ("a doctor", "", 7), ("a street in the rain", "snow", 8), ("a lighthouse", "rain", 7),
        )
    ]  # fmt: skip

    painter = Painter.load(found.pipeline(name), "cpu")
    pictures = [
        np.asarray(picture).astype(int)
        for picture in painter.paint(requests, lambda step, total: told.append((step, total)))
    ]

    assert [picture.shape for picture in pictures] == [(64, 64, 3)] * 3
    # PNDM takes one step more than it is asked for.
    total = steps + (name == "sd15")
    assert told == [(step, total) for step in range(1, total + 1)]
    for request, picture in zip(requests, pictures, strict=True):
        alone = np.asarray(painter.paint([request])[0]).astype(int)
        assert np.abs(alone - picture).max() <= 1
    assert all(np.abs(pictures[a] - pictures[b]).max() > 1 for a, b in ((0, 1), (0, 2), (1, 2)))


def test_scrutiny_loads_from_the_same_folder(
    published: Callable[[str], ModelSources], sources: ModelSources
) -> None:
    found = published("sd15")
    # ViT-L/14 takes a gigabyte: the small encoder stands where its weights would.
    clip = sources.clip.model_copy(update={"checkpoint": found.clip.checkpoint})

    assert ImageEncoder.load(clip, CPU).dimension == 48
    RegionFinder.load(found.regions, "cpu")


def test_hub_ids_load_from_the_hubs_cache(sources: ModelSources, hub_cache: Path) -> None:
    def put(hub_id: str) -> Path:
        repository = hub_cache / f"models--{hub_id.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("1a2b")
        return repository / "snapshots" / "1a2b"

    shutil.copytree(sources.pipeline(PIPELINE), put("example/pipeline"))
    shutil.copytree(sources.regions, put("example/regions"))
    clip = put("example/clip")
    clip.mkdir(parents=True)
    shutil.copy(sources.clip.checkpoint, clip / CLIP_FILES[0])

    Painter.load("example/pipeline", "cpu")
    RegionFinder.load("example/regions", "cpu")
    ImageEncoder.load(sources.clip.model_copy(update={"checkpoint": "example/clip"}), CPU)


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd-turbo"])
def test_without_weights_each_loader_says_how_to_get_them_at_once(name: str) -> None:
    named, began = ModelSources.parse(name), time.monotonic()

    with pytest.raises(PipelineUnavailable, match=f"hf download {named.pipeline(name)} "):
        Painter.load(named.pipeline(name), "cpu")
    with pytest.raises(ScrutinyUnavailable, match=f"hf download {named.clip.checkpoint} "):
        ImageEncoder.load(named.clip, CPU)
    with pytest.raises(ScrutinyUnavailable, match=f"hf download {named.regions} "):
        RegionFinder.load(named.regions, "cpu")

    assert time.monotonic() - began < 30
