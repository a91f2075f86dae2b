"""Writes the stand-in models as the ordinary files of their kinds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.mini import random_models
from ethical_lens.mini.tokenizer import clip_tokenizer
from ethical_lens.sources import ClipSource, ModelSources, PipelineSource

_ARCHITECTURE = "stand-in-clip"


def write_all(folder: Path, name: str, sources_file: Path) -> None:
    """Write all models into `folder`, and a file of sources that calls its pipeline `name`.

    The same files every time; torch's global generator is left as it was.
    """
    tokenizer = clip_tokenizer()
    with _seeded(1):
        pipeline: Any = random_models.random_pipeline(tokenizer)
        pipeline.save_pretrained(folder / "pipeline")
    probes = _probes(folder / "pipeline")
    _fill_encoder_and_heads(folder, probes)
    _fill_segmenter(folder / "regions", tokenizer, probes)
    sources = ModelSources(
        pipelines={name: PipelineSource(source="pipeline", width=64, height=64)},
        clip=ClipSource(
            architecture=_ARCHITECTURE,
            checkpoint="clip/weights.safetensors",
            config=Path(f"clip/{_ARCHITECTURE}.json"),
        ),
        heads=Path("heads"),
        regions="regions",
    )
    sources_file.write_text(sources.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _fill_encoder_and_heads(folder: Path, probes: list[Image.Image]) -> None:
    clip, heads = folder / "clip", folder / "heads"
    clip.mkdir()
    heads.mkdir()
    config = clip / f"{_ARCHITECTURE}.json"
    config.write_text(json.dumps(random_models.CLIP_CONFIG, indent=2) + "\n", encoding="utf-8")
    open_clip.add_model_config(config)
    checkpoint = clip / "weights.safetensors"
    with _seeded(2):
        save_file(random_models.random_encoder(_ARCHITECTURE).state_dict(), checkpoint)
    source = ClipSource(architecture=_ARCHITECTURE, checkpoint=str(checkpoint), config=config)
    features = ImageEncoder.load(source, torch.device("cpu")).encode(probes)
    with _seeded(3):
        for concept, head in random_models.random_heads(features).items():
            save_file(head.state_dict(), heads / f"{concept.value}.safetensors")


def _fill_segmenter(folder: Path, tokenizer: CLIPTokenizer, probes: list[Image.Image]) -> None:
    processor = random_models.segmenter_processor(tokenizer)
    with _seeded(4):
        model = random_models.random_segmenter()
    inputs = processor(text=["face"] * len(probes), images=probes, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits
    random_models.spread_masks(model, logits)
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
