"""CLIPScore is a hundred cosines, and a picture fits its own caption best."""

import random

import pytest
import torch

from ethical_lens.evaluation.clip_score import ClipScorer
from ethical_lens.mini import weights
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.drawing import draw
from ethical_lens.sources import ClipSource, ModelSources

pytestmark = pytest.mark.models

CLIP = weights.FOLDER / "clip"


@pytest.fixture(scope="module")
def scorer() -> ClipScorer:
    source = ClipSource(
        architecture="mini-clip",
        checkpoint=str(CLIP / "open_clip_model.safetensors"),
        config=CLIP / "mini-clip.json",
    )
    return ClipScorer.load(source, "cpu")


def test_a_picture_fits_its_own_caption_better_than_others(scorer: ClipScorer) -> None:
    scenes = [scene_at("balanced", 77, index) for index in range(12)]
    images = [draw(scene).picture for scene in scenes]
    texts = [captions(scene, random.Random(1), full=True)[0] for scene in scenes]

    own = scorer.score(images, texts)
    others = scorer.score(images, [*texts[1:], texts[0]])

    assert all(0 <= score <= 100 for score in (*own, *others))
    assert sum(a > b for a, b in zip(own, others, strict=True)) >= 11


def test_a_pair_does_not_depend_on_its_neighbours(scorer: ClipScorer) -> None:
    images = [draw(scene_at("balanced", 77, index)).picture for index in range(2)]

    both = scorer.score(images, ["a cat", "a dog"])

    assert scorer.score(images[1:], ["a dog"]) == pytest.approx(both[1:], abs=1e-3)
    assert scorer.score([], []) == []


def test_any_model_set_has_its_tokenizer(sources: ModelSources) -> None:
    before = torch.random.get_rng_state()
    scorer = ClipScorer.load(sources.clip, "cpu")
    image = draw(scene_at("balanced", 77, 1)).picture

    assert 0 <= scorer.score([image], ["a doctor"])[0] <= 100
    assert torch.equal(before, torch.random.get_rng_state())
