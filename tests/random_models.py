"""Randomly initialised models of the published shapes, written as ordinary files of their kinds.

They load and run through the code that loads published ones, in no time. Their pictures are noise
and their scores spread evenly, which is what tests of mechanics want: at any threshold some fire.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import open_clip
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import save_file
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

from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.heads import new_head
from ethical_lens.mini import weights
from ethical_lens.results import Concept
from ethical_lens.sources import ClipSource, ModelSources, PipelineSource

PIPELINE: Final = "random"
_ARCHITECTURE: Final = "random-clip"
TOKENIZER: Final[Any] = CLIPTokenizer.from_pretrained(weights.FOLDER / "clip")

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
        "context_length": TOKENIZER.model_max_length,
        "vocab_size": len(TOKENIZER),
        "hf_tokenizer_name": str(weights.FOLDER / "clip"),
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


def write_models(folder: Path) -> Path:
    """Write all models into `folder` and return the file that names them, for `MODELS`.

    The same files every time; torch's global generator is left as it was.
    """
    with _seeded(1):
        pipeline: Any = random_pipeline()
        pipeline.save_pretrained(folder / "pipeline")
    probes = _probes(folder / "pipeline")
    _fill_encoder_and_heads(folder, probes)
    _fill_segmenter(folder / "regions", probes)
    sources = ModelSources(
        pipelines={PIPELINE: PipelineSource(source="pipeline", width=64, height=64)},
        clip=ClipSource(
            architecture=_ARCHITECTURE,
            checkpoint="clip/weights.safetensors",
            config=Path(f"clip/{_ARCHITECTURE}.json"),
        ),
        heads=Path("heads"),
        regions="regions",
    )
    file = folder / "models.json"
    file.write_text(sources.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return file


def random_pipeline() -> StableDiffusionPipeline:
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
        tokenizer=TOKENIZER,
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
        vocab_size=len(TOKENIZER),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=TOKENIZER.bos_token_id,
        eos_token_id=TOKENIZER.eos_token_id,
        pad_token_id=TOKENIZER.pad_token_id,
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
                "vocab_size": len(TOKENIZER),
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "eos_token_id": TOKENIZER.eos_token_id,
                "pad_token_id": TOKENIZER.pad_token_id,
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


def segmenter_processor() -> CLIPSegProcessor:
    """The processor that belongs to `random_segmenter`."""
    images = ViTImageProcessor(size={"height": 64, "width": 64})
    return CLIPSegProcessor(image_processor=images, tokenizer=TOKENIZER)


def _fill_encoder_and_heads(folder: Path, probes: list[Image.Image]) -> None:
    clip, heads = folder / "clip", folder / "heads"
    clip.mkdir()
    heads.mkdir()
    config = clip / f"{_ARCHITECTURE}.json"
    config.write_text(json.dumps(CLIP_CONFIG, indent=2) + "\n", encoding="utf-8")
    open_clip.add_model_config(config)
    checkpoint = clip / "weights.safetensors"
    with _seeded(2):
        save_file(random_encoder(_ARCHITECTURE).state_dict(), checkpoint)
    source = ClipSource(architecture=_ARCHITECTURE, checkpoint=str(checkpoint), config=config)
    features = ImageEncoder.load(source, torch.device("cpu")).encode(probes)
    with _seeded(3):
        for concept, head in random_heads(features).items():
            save_file(head.state_dict(), heads / f"{concept.value}.safetensors")


def _fill_segmenter(folder: Path, probes: list[Image.Image]) -> None:
    processor = segmenter_processor()
    with _seeded(4):
        model = random_segmenter()
    inputs = processor(text=["face"] * len(probes), images=probes, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits
    spread_masks(model, logits)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _probes(pipeline: Path) -> list[Image.Image]:
    """Pictures such as the pipeline paints, to fit the other models to."""
    painter = Painter.load(pipeline, device="cpu", dtype="float32")
    pictures = []
    for size, steps, count in ((64, 2, 16), (64, 4, 16), (64, 12, 8), (128, 4, 4)):
        requests = [
            PaintRequest(
                prompt=f"picture {seed}",
                seed=seed,
                width=size,
                height=size,
                steps=steps,
                guidance_scale=5.0,
            )
            for seed in range(count)
        ]
        pictures += painter.paint(requests)
    return pictures


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator for a while and put it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
