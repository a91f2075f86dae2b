"""What diffusers can do with the painter of the package, beyond what jobs ask of it."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    DiffusionPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

from ethical_lens.mini import weights
from ethical_lens.mini.judge import Judge
from ethical_lens.mini.world.scene import Kind

pytestmark = pytest.mark.models

PROMPT = "a portrait of a white male doctor of middle age in the park"


@pytest.fixture(scope="module")
def pipeline() -> Any:
    found: Any = DiffusionPipeline.from_pretrained(weights.FOLDER / "pipeline", dtype=torch.float32)
    found.set_progress_bar_config(disable=True)
    return found


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load(weights.FOLDER / "judge")


def painted(pipeline: Any, prompt: str | list[str], **options: Any) -> list[Image.Image]:
    settings = {"num_inference_steps": 20, "guidance_scale": 4.0} | options
    generator = torch.Generator().manual_seed(3)
    images: list[Image.Image] = pipeline(prompt, generator=generator, **settings).images
    return images


def kinds(judge: Judge, pictures: list[Image.Image]) -> list[Kind | None]:
    return [found.main and found.main.kind for found in judge.judge(pictures)]


def array(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, dtype=np.float32) / 255


def test_it_is_a_stable_diffusion_pipeline_of_96_pixels(pipeline: Any) -> None:
    assert isinstance(pipeline, StableDiffusionPipeline)
    assert painted(pipeline, PROMPT)[0].size == (96, 96)


def test_several_pictures_of_one_prompt_differ(pipeline: Any, judge: Judge) -> None:
    pictures = painted(pipeline, PROMPT, num_images_per_prompt=4)

    assert kinds(judge, pictures).count(Kind.DOCTOR) >= 3
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_prompts_of_one_batch_keep_apart(pipeline: Any, judge: Judge) -> None:
    wanted = [Kind.CHEF, Kind.FIREFIGHTER, Kind.JUDGE, Kind.NURSE, Kind.FARMER]
    prompts = [f"a portrait of a young Black female {kind.value} in the park" for kind in wanted]

    found = kinds(judge, painted(pipeline, prompts))

    assert sum(one is kind for one, kind in zip(found, wanted, strict=True)) >= 4


def test_a_negative_prompt_and_guidance_count(pipeline: Any) -> None:
    plain = array(painted(pipeline, PROMPT)[0])

    for other in ({"negative_prompt": "a doctor in the park"}, {"guidance_scale": 1.0}):
        assert np.abs(array(painted(pipeline, PROMPT, **other)[0]) - plain).mean() > 0.02


def test_what_no_caption_says_still_gives_a_picture(pipeline: Any) -> None:
    picture = array(painted(pipeline, "Quantum xylophones étudient un gâteau")[0])

    assert picture.std() > 0.05


def test_a_picture_is_changed_as_far_as_the_strength_allows(pipeline: Any) -> None:
    start = painted(pipeline, PROMPT)[0]
    repainting = AutoPipelineForImage2Image.from_pipe(pipeline)
    prompt = PROMPT.replace("park", "forest at night")

    near, far = (
        np.abs(array(painted(repainting, prompt, image=start, strength=s)[0]) - array(start)).mean()
        for s in (0.2, 0.9)
    )

    assert near < far / 2


def test_what_lies_outside_the_mask_stays(pipeline: Any) -> None:
    start = painted(pipeline, PROMPT)[0]
    mask = Image.new("L", start.size)
    mask.paste(255, (24, 48, 72, 96))
    inpainting = AutoPipelineForInpainting.from_pipe(pipeline)

    again = painted(
        inpainting, PROMPT.replace("doctor", "firefighter"), image=start, mask_image=mask,
        strength=1.0, height=96, width=96,
    )[0]  # fmt: skip

    change = np.abs(array(again) - array(start)).mean(axis=2)
    inside = np.asarray(mask) > 0
    assert change[inside].mean() > 4 * change[~inside].mean()
