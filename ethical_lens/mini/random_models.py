"""Randomly initialised models of the ordinary classes, small enough to build in seconds.

Each function draws from torch's global generator; `write_models` seeds and restores it.
"""

from typing import Any

import open_clip
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    ViTImageProcessor,
)

from ethical_lens.image.heads import new_head
from ethical_lens.mini.tokenizer import CONTEXT_LENGTH, END, START, VOCABULARY_SIZE
from ethical_lens.results import Concept

CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 48,
    "vision_cfg": {
        "image_size": 64,
        "layers": 2,
        "width": 64,
        "head_width": 16,
        "patch_size": 8,
    },
    "text_cfg": {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": VOCABULARY_SIZE,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


def random_pipeline(tokenizer: CLIPTokenizer) -> StableDiffusionPipeline:
    """Stable Diffusion's shape: 2.9 million parameters, 64x64 pixels unless told otherwise."""
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    return StableDiffusionPipeline(
        vae=random_autoencoder(),
        text_encoder=CLIPTextModel(text_config()),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def random_autoencoder() -> AutoencoderKL:
    """Pixels to latents of an eighth of their size and back."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 16, 32, 32),
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )


def text_config(**changes: Any) -> CLIPTextConfig:
    """A two-layer CLIP text encoder of width 32."""
    return CLIPTextConfig(
        vocab_size=VOCABULARY_SIZE,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=START,
        eos_token_id=END,
        pad_token_id=END,
        **changes,
    )


def random_encoder(architecture: str) -> nn.Module:
    """An open_clip model. `architecture` must be known to open_clip with `CLIP_CONFIG`."""
    model: nn.Module = open_clip.create_model(architecture)
    return model


@torch.no_grad()
def random_heads(features: torch.Tensor) -> dict[Concept, nn.Sequential]:
    """Five heads fitted to `features` (n, d) so far that their scores spread and do not saturate.

    BatchNorm gets the statistics of `features`, and the last layer is scaled so that the logits
    of `features` have mean 0 and standard deviation 1.5.
    """
    heads = {}
    for concept in Concept:
        head = new_head(features.shape[1])
        norm: Any = head[3]
        last: Any = head[4]
        hidden = torch.relu(head[0](features))
        norm.running_mean.copy_(hidden.mean(dim=0))
        norm.running_var.copy_(hidden.var(dim=0))
        logits = head.eval()(features)
        scale = 1.5 / logits.std()
        last.weight.mul_(scale)
        last.bias.copy_((last.bias - logits.mean()) * scale)
        heads[concept] = head
    return heads


@torch.no_grad()
def random_segmenter() -> CLIPSegForImageSegmentation:
    """CLIPSeg's shape, 2.4 million parameters. Its answers are even within a patch: regions, not
    speckles."""
    model = CLIPSegForImageSegmentation(
        CLIPSegConfig(
            text_config={
                "vocab_size": VOCABULARY_SIZE,
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "eos_token_id": END,
                "pad_token_id": END,
            },
            vision_config={
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 3,
                "num_attention_heads": 4,
                "image_size": 64,
                "patch_size": 8,
            },
            projection_dim=32,
            extract_layers=[0, 1, 2],
            reduce_dim=16,
            decoder_intermediate_size=32,
        )
    )
    last: Any = model.decoder.transposed_convolution
    last.weight.copy_(last.weight.mean(dim=(2, 3), keepdim=True).expand_as(last.weight))
    model.eval()
    return model


@torch.no_grad()
def spread_masks(model: CLIPSegForImageSegmentation, logits: torch.Tensor) -> None:
    """Change the last layer so that `logits`, its answers so far, would have had mean -3 and
    standard deviation 2: a fifth of all pixels above the published mask threshold of 0.2."""
    last: Any = model.decoder.transposed_convolution
    scale = 2.0 / logits.std()
    last.weight.mul_(scale)
    last.bias.copy_((last.bias - logits.mean()) * scale - 3.0)


def segmenter_processor(tokenizer: CLIPTokenizer) -> CLIPSegProcessor:
    """The processor that belongs to `random_segmenter`."""
    images = ViTImageProcessor(size={"height": 64, "width": 64})
    return CLIPSegProcessor(image_processor=images, tokenizer=tokenizer)
