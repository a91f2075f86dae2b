"""An SDXL-shaped pipeline of random weights: two text encoders, added size conditions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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
