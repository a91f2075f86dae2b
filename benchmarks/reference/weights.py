"""The models that both sides load: published shapes, random weights, the same files."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import open_clip
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    CLIPTokenizer,
    ViTImageProcessor,
)

from ethical_lens.image.heads import new_head
from ethical_lens.mini import weights as mini
from ethical_lens.results import Concept
from ethical_lens.sources import ClipSource, ModelSources, PipelineSource

LARGE: Final = "ViT-L-14-quickgelu"
"""Of the published method; its heads are for this one."""

CLIPSEG: Final[dict[str, Any]] = {
    "projection_dim": 512,
    "reduce_dim": 64,
    "extract_layers": [3, 6, 9],
    "use_complex_transposed_convolution": True,
    "vision_config": {"patch_size": 16, "image_size": 224},
}
"""What `CIDAS/clipseg-rd64-refined` has otherwise than the defaults of its class."""
CLIPSEG_SIDE: Final = 352
"""Pixels of its input."""

SMALL_CLIPSEG: Final[dict[str, Any]] = {
    "projection_dim": 32,
    "reduce_dim": 16,
    "extract_layers": [0, 1, 2],
    "vision_config": {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4,
        "num_attention_heads": 4, "image_size": 64, "patch_size": 8,
    },
    "text_config": {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
}  # fmt: skip
"""For trying the benchmark out."""


def written(folder: Path, architecture: str, heads: Path | None, *, small: bool) -> ModelSources:
    """Write what is not in `folder` yet, and give its sources.

    `heads` is a folder of trained heads, taken over as they are; without it they are random.
    """
    clip, own_heads, regions = folder / "clip.safetensors", folder / "heads", folder / "regions"
    folder.mkdir(parents=True, exist_ok=True)
    if not clip.is_file():
        with _seeded(1):
            model = open_clip.create_model(architecture)
            save_file(model.state_dict(), clip)
            del model
    if not own_heads.is_dir():
        own_heads.mkdir()
        dimension = load_file(clip)["visual.proj"].shape[1]
        for concept in Concept:
            given = heads and heads / f"{concept.value}.pt"
            if given is not None:
                shutil.copyfile(given, own_heads / given.name)
            else:
                with _seeded(2):
                    head = new_head(dimension)
                save_file(head.state_dict(), own_heads / f"{concept.value}.safetensors")
    if not regions.is_dir():
        _write_segmenter(
            regions, SMALL_CLIPSEG if small else CLIPSEG, 64 if small else CLIPSEG_SIDE
        )
    sources = ModelSources(
        pipelines={"none": PipelineSource(source="none")},
        clip=ClipSource(architecture=architecture, checkpoint=str(clip)),
        heads=own_heads,
        regions=str(regions),
        device="cpu",
    )
    (folder / "models.json").write_text(json.dumps(sources.model_dump(mode="json"), indent=2))
    return sources


def _write_segmenter(folder: Path, config: dict[str, Any], side: int) -> None:
    words = CLIPTokenizer.from_pretrained(mini.FOLDER / "clip")
    ends = {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    text = {**config.get("text_config", {}), "vocab_size": max(len(words), 49408), **ends}
    with _seeded(3):
        model = CLIPSegForImageSegmentation(CLIPSegConfig(**{**config, "text_config": text}))
    model.save_pretrained(folder)
    pictures = ViTImageProcessor(size={"height": side, "width": side})
    CLIPSegProcessor(image_processor=pictures, tokenizer=words).save_pretrained(folder)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
