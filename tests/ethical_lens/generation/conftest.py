"""Pipelines of random weights: one shaped like SDXL (two text encoders, added size conditions), and
ones to be damaged."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ethical_lens.sources import ModelSources

if TYPE_CHECKING:
    from ethical_lens.generation.painter import Painter


@pytest.fixture(scope="session")
def sdxl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    from random_models import TOKENIZER, random_autoencoder, text_config

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(5)
        pipeline: Any = StableDiffusionXLPipeline(
            vae=random_autoencoder(),
            text_encoder=CLIPTextModel(text_config()),
            text_encoder_2=CLIPTextModelWithProjection(text_config(projection_dim=32)),
            tokenizer=TOKENIZER,
            tokenizer_2=TOKENIZER,
            unet=UNet2DConditionModel(
                sample_size=8,
                in_channels=4,
                out_channels=4,
                layers_per_block=1,
                block_out_channels=(32, 64),
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
                attention_head_dim=(2, 4),
                use_linear_projection=True,
                addition_embed_type="text_time",
                addition_time_embed_dim=8,
                transformer_layers_per_block=(1, 2),
                projection_class_embeddings_input_dim=32 + 6 * 8,
                cross_attention_dim=64,
                norm_num_groups=8,
            ),
            scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1),
            force_zeros_for_empty_prompt=True,
        )
    folder = tmp_path_factory.mktemp("sdxl")
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sdxl_painter(sdxl_folder: Path) -> "Painter":
    from ethical_lens.generation.painter import Painter

    return Painter.load(sdxl_folder, "cpu", "float32")


@pytest.fixture(params=["stable diffusion", "sdxl"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def either(request: pytest.FixtureRequest, kind: str) -> "Painter":
    name = "painter" if kind == "stable diffusion" else "sdxl_painter"
    found: Painter = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="session")
def whole_pipelines(sources: ModelSources, sdxl_folder: Path) -> dict[str, Any]:
    from diffusers import DiffusionPipeline

    from random_models import PIPELINE

    return {
        "stable diffusion": DiffusionPipeline.from_pretrained(
            sources.pipeline(PIPELINE), safety_checker=None, requires_safety_checker=False
        ),
        "sdxl": DiffusionPipeline.from_pretrained(sdxl_folder),
    }


@pytest.fixture
def pipeline(whole_pipelines: dict[str, Any]) -> Any:
    """A Stable Diffusion whose networks are its own, to be damaged."""
    whole = whole_pipelines["stable diffusion"]
    return type(whole)(**_own_networks(whole), requires_safety_checker=False)


@pytest.fixture
def either_pipeline(kind: str, whole_pipelines: dict[str, Any]) -> Any:
    """The same shape as `either`, with networks of its own."""
    whole = whole_pipelines[kind]
    options = {} if kind == "sdxl" else {"requires_safety_checker": False}
    return type(whole)(**_own_networks(whole), **options)


def _own_networks(whole: Any) -> dict[str, Any]:
    import torch

    return {
        name: copy.deepcopy(part) if isinstance(part, torch.nn.Module) else part
        for name, part in whole.components.items()
    }
