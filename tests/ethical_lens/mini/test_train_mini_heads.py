"""Training the heads of the world: labels of what is shown and of what was blurred."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from open_clip.model import CLIP

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.heads import Heads
from ethical_lens.mini import weights
from ethical_lens.mini.bars import heads as bars
from ethical_lens.mini.bpe import save_tokenizer, train_tokenizer
from ethical_lens.mini.training import clip, heads, regions
from ethical_lens.mini.training.repainting import repaint
from ethical_lens.mini.training.scrutiny import ScrutinyDrawings, shared_tokenizer
from ethical_lens.results import Concept
from random_models import random_autoencoder

pytestmark = pytest.mark.models

COUNT = 192


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch folder with an untrained encoder and region finder."""
    folder = tmp_path_factory.mktemp("work")
    save_tokenizer(train_tokenizer(["a man in a park", "a face"], 600), folder / "tokenizer")
    tokenizer = shared_tokenizer(folder)
    torch.manual_seed(0)
    config = clip.clip_config(len(tokenizer))
    clip.save_clip(CLIP(**config), config, tokenizer, folder / "models" / "clip")
    regions.save_segmenter(
        regions.new_segmenter(tokenizer), tokenizer, folder / "models" / "regions"
    )
    for name in ("pipeline", "judge", "faces"):
        (folder / "models" / name).symlink_to(weights.FOLDER / name)
    return folder


def test_labels_say_what_a_repair_took_away(work: Path) -> None:
    shown, rng = ScrutinyDrawings(work, COUNT), np.random.default_rng(1)
    for one in (shown.repaired(rng) for _ in range(40)):
        assert one.removed not in heads.concepts_of(shown, one)
        rest = heads.concepts_of(shown, one.index) - {one.removed}
        assert heads.concepts_of(shown, one) == rest


def test_every_drawing_has_its_features_and_labels(work: Path, tmp_path: Path) -> None:
    shown = ScrutinyDrawings(work, COUNT)
    encoder = ImageEncoder.load(clip.clip_source(work / "models" / "clip"), torch.device("cpu"))

    found = heads.features_of(tmp_path / "kept", shown, encoder)

    assert found.features.shape == (COUNT + round(0.5 * COUNT), encoder.dimension)
    for concept in Concept:
        drawn = sum(concept in scene.concepts for scene in map(shown.scene, range(COUNT)))
        assert found.labels[concept].sum() >= drawn


def test_what_the_painter_painted_over_a_drawing_shows_what_the_drawing_showed(
    work: Path, tmp_path: Path
) -> None:
    models = work / "models"
    encoder = ImageEncoder.load(clip.clip_source(models / "clip"), torch.device("cpu"))
    vae = AutoencoderKL.from_pretrained(models / "pipeline" / "vae", dtype=torch.float32)
    painted = repaint(work, models / "pipeline", 8)
    scenes = [painted.drawings[int(index)] for index in painted.indices]

    shown = ScrutinyDrawings(work, COUNT)

    found = heads.features_of(tmp_path / "kept", shown, encoder, vae, painted)

    assert len(found.features) == COUNT + round(0.5 * COUNT) + 8
    assert all(len(scene.people) == 1 for scene in scenes)
    for concept in Concept:
        there = torch.tensor([concept in scene.concepts for scene in scenes])
        assert torch.equal(found.labels[concept][-8:], there)
    assert found.painted.sum() == 8
    assert found.painted[-8:].all()


def test_that_a_picture_is_painted_does_not_tell_what_it_shows() -> None:
    labels = torch.arange(1000) % 10 == 0
    painted = torch.cat([torch.arange(100) % 5 == 0, torch.arange(900) % 100 == 1])

    weights = heads.even(labels, painted)

    def share(rows: torch.Tensor) -> float:
        return float(weights[rows & painted].sum() / weights[rows].sum())

    assert share(labels) == pytest.approx(0.1)
    assert share(~labels) == pytest.approx(0.1)
    assert (weights[labels] == 1).all()


def test_where_nothing_is_painted_every_row_counts_alike() -> None:
    labels = torch.arange(100) % 10 == 0

    weights = heads.even(labels, torch.zeros(100, dtype=torch.bool))

    assert torch.equal(weights, torch.ones(100))


def test_trained_heads_load_and_are_measured(work: Path) -> None:
    models = work / "models"

    heads.train_heads(work, models / "heads", steps=3, drawings=COUNT, repainted=8)

    assert Heads.load(models / "heads", 256).scores(torch.zeros(2, 256))[Concept.NUDE].shape == (2,)
    found = bars.measure(models, 64)
    assert all(0 <= share.value <= 1 for share in found.values())


def test_a_round_trip_keeps_pictures_pictures() -> None:
    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 96, 96)

    again = heads.round_trip(random_autoencoder().eval(), pixels)

    assert again.shape == pixels.shape
    assert again.min() >= 0
    assert again.max() <= 1
