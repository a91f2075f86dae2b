"""Painting with real, small pipelines of both shapes."""

import json
import pickle
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ethical_lens.generation.errors import (
    GenerationError,
    OutOfMemory,
    PipelineUnavailable,
    UnusablePictures,
)
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.sources import ModelSources
from painting import levels, request
from random_models import PIPELINE


def global_generators() -> tuple[bytes, bytes, bytes]:
    return (
        torch.get_rng_state().numpy().tobytes(),
        pickle.dumps(np.random.get_state()),
        pickle.dumps(random.getstate()),
    )


def test_a_picture_has_the_size_that_was_asked_for(either: Painter) -> None:
    pictures = either.paint([request(1, width=96, height=64), request(2, width=96, height=64)])

    assert [picture.size for picture in pictures] == [(96, 64)] * 2
    assert {picture.mode for picture in pictures} == {"RGB"}
    assert all(levels(picture).std() > 5 for picture in pictures)


def test_the_same_request_gives_the_same_picture_in_any_batch(either: Painter) -> None:
    # Batched matrix products round in another order than single ones: one level of 255, in under
    # one value of a thousand, was the most that was seen.
    wanted = request(3, negative_prompt="rain")
    alone = levels(either.paint([wanted])[0])

    assert (levels(either.paint([wanted])[0]) == alone).all()
    for batch, place in (
        ([wanted, request(8)], 0),
        ([request(4), request(5, negative_prompt="snow"), wanted], 2),
        ([request(i) for i in range(10, 16)] + [wanted], 6),
    ):
        difference = np.abs(levels(either.paint(batch)[place]) - alone)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.001


def test_an_empty_negative_prompt_does_not_depend_on_the_neighbours(either: Painter) -> None:
    wanted = request(3)
    alone = levels(either.paint([wanted])[0])
    beside = either.paint([wanted, request(4, negative_prompt="rain")])[0]

    assert np.abs(levels(beside) - alone).max() <= 1


@pytest.mark.parametrize(
    "other",
    [request(4), request(3, prompt="a street"), request(3, negative_prompt="a street")],
    ids=["seed", "prompt", "negative prompt"],
)
def test_seed_and_both_prompts_count(either: Painter, other: PaintRequest) -> None:
    one, another = either.paint([request(3), other])

    assert np.abs(levels(one) - levels(another)).max() > 1


def test_two_loads_give_the_same_pixels(painter: Painter, sources: ModelSources) -> None:
    again = Painter.load(sources.pipeline(PIPELINE), "cpu")

    assert (levels(again.paint([request(3)])[0]) == levels(painter.paint([request(3)])[0])).all()


def test_painting_leaves_global_generators_alone(either: Painter) -> None:
    before = global_generators()

    either.paint([request(1), request(2)])

    assert global_generators() == before


def test_loading_leaves_global_generators_alone(sdxl_folder: Path) -> None:
    before = global_generators()

    Painter.load(sdxl_folder, "cpu")

    assert global_generators() == before


def test_global_seeds_do_not_count(either: Painter) -> None:
    first = levels(either.paint([request(3)])[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        second = levels(either.paint([request(3)])[0])

    assert (first == second).all()


@pytest.mark.parametrize(
    "changes", [{"width": 72}, {"height": 72}, {"steps": 5}, {"guidance_scale": 1.0}], ids=str
)
def test_a_batch_shares_its_settings(painter: Painter, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a batch shares"):
        painter.paint([request(1), request(2, **changes)])


def test_nothing_to_paint(painter: Painter) -> None:
    assert painter.paint([]) == []


def test_progress_is_told_step_by_step(either: Painter) -> None:
    told: list[tuple[int, int]] = []

    either.paint([request(1), request(2)], lambda step, total: told.append((step, total)))

    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


class Stop(Exception):
    """What a caller raises to end a run."""


@pytest.mark.parametrize(
    ("error", "at"),
    [
        (Stop("cancelled"), 1),
        (Stop("cancelled"), 4),
        (torch.OutOfMemoryError("mine"), 2),
        (RuntimeError("mine"), 2),
    ],
    ids=repr,
)
def test_what_on_step_raises_ends_the_run(either: Painter, error: Exception, at: int) -> None:
    before = levels(either.paint([request(3)])[0])
    told: list[int] = []

    def on_step(step: int, total: int) -> None:
        told.append(step)
        if step == at:
            raise error

    with pytest.raises(type(error)) as caught:
        either.paint([request(3)], on_step)

    assert caught.value is error
    assert told == list(range(1, at + 1))
    assert (levels(either.paint([request(3)])[0]) == before).all()


@pytest.mark.parametrize("part", ["unet", "vae"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_picture_that_is_not_finite_is_refused(pipeline: Any, part: str, value: float) -> None:
    layer = pipeline.unet.conv_out if part == "unet" else pipeline.vae.decoder.conv_in
    layer.bias.data[0] = value

    with pytest.raises(UnusablePictures) as caught:
        Painter(pipeline).paint([request(1), request(2)])

    assert caught.value.pictures == (0, 1)
    assert isinstance(caught.value, GenerationError)


def test_the_one_broken_picture_of_a_batch_is_named(pipeline: Any) -> None:
    (word,) = pipeline.tokenizer("street", add_special_tokens=False).input_ids
    pipeline.text_encoder.get_input_embeddings().weight.data[word] = torch.nan

    with pytest.raises(UnusablePictures) as caught:
        Painter(pipeline).paint([request(1), request(2, prompt="a street"), request(3)])

    assert caught.value.pictures == (1,)


@pytest.fixture(params=["cuda", "cpu"])
def starved(request: pytest.FixtureRequest, pipeline: Any) -> Iterator[Any]:
    """A pipeline whose network asks for more memory than there is."""

    def ask(*_: Any) -> None:
        if request.param == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 99 GiB")
        torch.empty(2**60)

    hook = pipeline.unet.register_forward_hook(ask)
    yield pipeline
    hook.remove()


def test_out_of_memory_is_told_apart_and_holds_nothing(starved: Any) -> None:
    with pytest.raises(OutOfMemory, match="1 pictures of 64x64") as caught:
        Painter(starved).paint([request(1)])

    # The frames of the failed run, which hold its tensors, must not live on in the error.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_painter_works_on_after_running_out_of_memory(pipeline: Any) -> None:
    painter = Painter(pipeline)
    before = levels(painter.paint([request(3)])[0])
    hook = pipeline.unet.register_forward_hook(lambda *_: torch.empty(2**60))
    with pytest.raises(OutOfMemory):
        painter.paint([request(3)])
    hook.remove()

    assert (levels(painter.paint([request(3)])[0]) == before).all()


def test_other_failures_are_generation_errors(pipeline: Any) -> None:
    pipeline.unet.conv_in = torch.nn.Conv2d(3, 32, 3)

    with pytest.raises(GenerationError, match="the pipeline failed"):
        Painter(pipeline).paint([request(1)])


def test_no_safety_checker_is_loaded(sources: ModelSources, tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(sources.pipeline(PIPELINE), folder)
    index = json.loads((folder / "model_index.json").read_text())
    # As published: an index that names a checker. There is none in the folder to load.
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["requires_safety_checker"] = True
    (folder / "model_index.json").write_text(json.dumps(index))

    assert Painter.load(folder, "cpu").paint([request(1)])


def damaged(folder: Path, how: str) -> None:
    weights = folder / "unet/diffusion_pytorch_model.safetensors"
    index = folder / "model_index.json"
    match how:
        case "no weights":
            weights.unlink()
        case "half the weights":
            weights.write_bytes(weights.read_bytes()[:1000])
        case "no index":
            index.unlink()
        case "unknown class":
            index.write_text(json.dumps({"_class_name": "HousePipeline"}))
        case "other shape":
            index.write_text(json.dumps({"_class_name": "DDPMPipeline"}))


@pytest.mark.parametrize(
    ("how", "part"),
    [
        ("no weights", "unet"),
        ("half the weights", "unet"),
        ("no index", r"model_index\.json"),
        ("unknown class", "HousePipeline"),
        (
            "other shape",
            "DDPMPipeline does not paint pictures from text: it takes no height, prompt",
        ),
    ],
)
def test_a_damaged_folder_says_what_is_wrong(
    sources: ModelSources, tmp_path: Path, how: str, part: str
) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(sources.pipeline(PIPELINE), folder)
    damaged(folder, how)

    with pytest.raises(PipelineUnavailable, match=part) as caught:
        Painter.load(folder, "cpu")

    assert str(folder) in str(caught.value)
    assert "must hold a whole diffusers pipeline" in str(caught.value)


@pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks` argument")  # diffusers' own
def test_a_model_that_was_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(PipelineUnavailable, match="hf download example/never-fetched"):
        Painter.load("example/never-fetched", "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="speaks of machines without CUDA")
def test_cuda_where_there_is_none(sources: ModelSources) -> None:
    with pytest.raises(PipelineUnavailable, match="sees no CUDA device"):
        Painter.load(sources.pipeline(PIPELINE), "cuda")
