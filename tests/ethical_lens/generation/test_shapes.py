"""Pipelines of other kinds than Stable Diffusion and SDXL, built for real with random weights."""

from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from ethical_lens.generation.errors import GenerationError, PromptTooLong
from ethical_lens.generation.painter import Painter
from ethical_lens.generation.shape import Shape
from painting import levels, request
from random_models import TOKENIZER, random_autoencoder, text_config


def stable_diffusion_3() -> Any:
    """A transformer and rectified flow; read by two CLIP encoders, the T5 left out."""
    return StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=8, patch_size=1, in_channels=4, num_layers=1, attention_head_dim=8,
            num_attention_heads=4, caption_projection_dim=32, joint_attention_dim=32,
            pooled_projection_dim=64, out_channels=4, pos_embed_max_size=16,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(16, 16, 32, 32), latent_channels=4, norm_num_groups=8,
            sample_size=64, shift_factor=0.06, scaling_factor=1.5,
        ),
        text_encoder=CLIPTextModelWithProjection(text_config(projection_dim=32)),
        tokenizer=TOKENIZER,
        text_encoder_2=CLIPTextModelWithProjection(text_config(projection_dim=32)),
        tokenizer_2=TOKENIZER,
        text_encoder_3=None,
        tokenizer_3=None,
    )  # fmt: skip


def pixart() -> Any:
    """A transformer read by T5, with the older step callback alone."""
    words = PreTrainedTokenizerFast(
        tokenizer_object=TOKENIZER.backend_tokenizer, pad_token=TOKENIZER.eos_token,
        eos_token=TOKENIZER.eos_token, bos_token=TOKENIZER.bos_token,
    )  # fmt: skip
    return PixArtSigmaPipeline(
        tokenizer=words,
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=len(TOKENIZER), d_model=32, d_kv=8, d_ff=32, num_layers=1,
                     num_heads=4)
        ).eval(),
        vae=random_autoencoder(),
        transformer=PixArtTransformer2DModel(
            num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=8,
            num_layers=1, cross_attention_dim=32, sample_size=8, patch_size=2,
            caption_channels=32, norm_type="ada_norm_single",
        ),
        scheduler=DDIMScheduler(),
    )  # fmt: skip


def latent_consistency() -> Any:
    """No negative prompt."""
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32, attention_head_dim=8, norm_num_groups=8, time_cond_proj_dim=32,
    )  # fmt: skip
    return LatentConsistencyModelPipeline(
        vae=random_autoencoder(),
        text_encoder=CLIPTextModel(text_config()),
        tokenizer=TOKENIZER,
        unet=unet,
        scheduler=LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


KINDS: dict[str, Callable[[], Any]] = {
    "SD3": stable_diffusion_3,
    "PixArt": pixart,
    "LCM": latent_consistency,
}
LONG = " ".join(["doctor"] * 400)


@pytest.fixture(scope="module")
def painters() -> dict[str, Painter]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(6)
        return {name: Painter(build()) for name, build in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_their_seeds_whatever_is_beside_them(
    painters: dict[str, Painter], kind: str
) -> None:
    painter, wanted = painters[kind], [request(3), request(4), request(3, prompt="a street")]
    together = painter.paint(wanted)

    for one, picture in zip(wanted, together, strict=True):
        assert picture.size == (64, 64)
        assert np.abs(levels(picture) - levels(painter.paint([one])[0])).max() <= 1
    assert np.abs(levels(together[0]) - levels(together[1])).max() > 1


@pytest.mark.parametrize("kind", KINDS)
def test_their_runs_can_be_followed_and_ended(painters: dict[str, Painter], kind: str) -> None:
    told: list[tuple[int, int]] = []
    painters[kind].paint([request(1)], lambda step, total: told.append((step, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]

    class Stop(Exception):
        pass

    def stop(step: int, _: int) -> None:
        told.append((step, 0))
        raise Stop

    with pytest.raises(Stop):
        painters[kind].paint([request(1)], stop)
    assert told[4:] == [(1, 0)]


@pytest.mark.parametrize("kind", ["SD3", "PixArt"])
def test_what_cannot_be_read_whole_is_refused(painters: dict[str, Painter], kind: str) -> None:
    for changes in ({"prompt": LONG}, {"negative_prompt": LONG}):
        with pytest.raises(PromptTooLong, match="shorten it"):
            painters[kind].paint([request(1), request(2, **changes)])


def test_without_negative_prompts_a_long_prompt_is_read_whole(painters: dict[str, Painter]) -> None:
    long, other = painters["LCM"].paint(
        [request(1, prompt=LONG), request(1, prompt=LONG + " street")]
    )

    assert (levels(long) != levels(other)).any()


def test_a_negative_prompt_is_not_dropped_where_the_pipeline_takes_none(
    painters: dict[str, Painter],
) -> None:
    with pytest.raises(GenerationError, match="takes no negative prompt"):
        painters["LCM"].paint([request(1), request(2, negative_prompt="rain")])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DDPMPipeline", "does not paint pictures from text"),
        ("CogVideoXPipeline", "makes videos"),
        ("StableDiffusionImg2ImgPipeline", "takes no height, width"),
        ("BlipDiffusionPipeline", "does not paint|cannot be followed"),
        ("AudioLDM2Pipeline", "does not paint pictures from text"),
        ("KandinskyPipeline", "wants more than a text: image_embeds"),
    ],
)
def test_what_does_not_paint_from_text_alone_is_refused(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Shape.of(getattr(diffusers, name))


@pytest.mark.parametrize(
    "name",
    ["StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline",
     "FluxPipeline", "Flux2Pipeline", "PixArtAlphaPipeline", "SanaPipeline", "HunyuanDiTPipeline",
     "Lumina2Pipeline", "QwenImagePipeline", "ZImagePipeline", "AuraFlowPipeline",
     "CogView4Pipeline", "ChromaPipeline", "Kandinsky3Pipeline", "WuerstchenCombinedPipeline"],
)  # fmt: skip
def test_text_to_image_classes_of_diffusers_are_taken(name: str) -> None:
    assert Shape.of(getattr(diffusers, name)).name == name


def test_a_checker_of_the_pipeline_itself_blackens_nothing(pipeline: Any) -> None:
    class BlackensAll(torch.nn.Module):
        def forward(self, images: Any, clip_input: Any) -> Any:
            return np.zeros_like(images), [True] * len(images)

    plain = levels(Painter(pipeline).paint([request(3)])[0])
    pipeline.safety_checker = BlackensAll()

    assert (levels(Painter(pipeline).paint([request(3)])[0]) == plain).all()


def test_device_and_dtype_are_told(painters: dict[str, Painter], pipeline: Any) -> None:
    assert (painters["SD3"].device, painters["SD3"].dtype) == ("cpu", "float32")
    assert Painter(pipeline.to(torch.bfloat16)).dtype == "bfloat16"
