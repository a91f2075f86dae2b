"""Training the painter: it starts from the CLIP's words, and is saved as diffusers loads it."""

import shutil
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from safetensors.torch import load_file
from transformers import CLIPTokenizer

from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.mini import weights
from ethical_lens.mini.bpe import save_tokenizer
from ethical_lens.mini.training import autoencoder, decoder, diffusion
from ethical_lens.mini.training.clip import WEIGHTS, clip_source
from ethical_lens.mini.training.text_encoder import text_tower

CLIP = weights.FOLDER / "clip"


SHORT = {"steps": 2, "fine_steps": 2, "faces_steps": 2, "biased": 48, "balanced": 48}
"""A run through all falls of the rate."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    """A pipeline after a few steps of everything."""
    models = work / "models"
    models.mkdir()
    (models / "clip").symlink_to(CLIP)
    save_tokenizer(CLIPTokenizer.from_pretrained(CLIP), models / "tokenizer")
    autoencoder.train_autoencoder(work, models / "autoencoder", steps=2, drawings=64)
    diffusion.train_diffusion(work, models / "pipeline", **SHORT)
    return models / "pipeline"


def test_the_decoder_goes_on_alone_so_that_latents_stay_what_they_are(
    work: Path, trained: Path, tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline"
    shutil.copytree(trained, pipeline)
    (tmp_path / "autoencoder").symlink_to(trained.with_name("autoencoder"))

    decoder.train_decoder(work, pipeline, steps=2, drawings=64, repainted=4)

    file = "vae/diffusion_pytorch_model.safetensors"
    before, after = load_file(trained / file), load_file(pipeline / file)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} <= {"decoder", "post_quant_conv"}
    DiffusionPipeline.from_pretrained(pipeline)


def test_words_are_read_as_the_clip_reads_them() -> None:
    tokenizer = CLIPTokenizer.from_pretrained(CLIP)
    ImageEncoder.load(clip_source(CLIP), torch.device("cpu"))  # makes its shape known
    clip: Any = open_clip.create_model("mini-clip", pretrained=str(CLIP / WEIGHTS)).eval()
    texts = ["an old Black doctor at the beach", "Captain Ardo"]
    ids = tokenizer(texts, padding="max_length", return_tensors="pt").input_ids

    with torch.no_grad():
        states = clip.transformer(
            clip.token_embedding(ids) + clip.positional_embedding, attn_mask=clip.attn_mask
        )
        ours = text_tower(CLIP, tokenizer).eval()(ids)[0]

    torch.testing.assert_close(ours, clip.ln_final(states))


def test_the_pipeline_loads_and_paints(trained: Path) -> None:
    pipeline: Any = DiffusionPipeline.from_pretrained(trained, dtype=torch.float32)
    request = PaintRequest(
        prompt="a doctor", seed=1, width=96, height=96, steps=2, guidance_scale=4.0
    )

    assert isinstance(pipeline, StableDiffusionPipeline)
    assert Painter(pipeline).paint([request])[0].size == (96, 96)
    stored = load_file(trained / "unet" / "diffusion_pytorch_model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}


def test_no_file_says_where_it_was_made(work: Path, trained: Path) -> None:
    for file in trained.rglob("*.json"):
        assert str(work) not in file.read_text(encoding="utf-8"), file.name


def test_a_finished_run_is_not_trained_again(work: Path, trained: Path) -> None:
    file = trained / "unet" / "diffusion_pytorch_model.safetensors"
    before = load_file(file)

    diffusion.train_diffusion(work, trained, **SHORT)

    after = load_file(file)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_training_noise_ends_in_pure_noise() -> None:
    alphas = diffusion.new_scheduler().alphas_cumprod

    assert alphas[-1] < 1e-6
    assert (alphas.diff() < 0).all()
