"""Training the encoder: batches that follow from their step, and a folder that open_clip loads."""

import random
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.mini.bars import clip as bars
from ethical_lens.mini.bpe import save_tokenizer, train_tokenizer
from ethical_lens.mini.training import clip
from ethical_lens.mini.training.facts import FACTS, NUDE, fact_row
from ethical_lens.mini.training.scrutiny import ScrutinyDrawings, shared_tokenizer
from ethical_lens.mini.world.sampling import balanced_scene, figure
from ethical_lens.mini.world.scene import Colour, Figure, Pattern, Place, Scene

pytestmark = pytest.mark.models

COUNT = 96


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch folder with a tokenizer of few words."""
    folder = tmp_path_factory.mktemp("work")
    save_tokenizer(train_tokenizer(["a man in a park", "a nude woman"], 600), folder / "tokenizer")
    return folder


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    out = work / "models" / "clip"
    clip.train_clip(work, out, steps=2, drawings=COUNT)
    return out


def test_a_finished_run_is_not_trained_again(work: Path, trained: Path, tmp_path: Path) -> None:
    clip.train_clip(work, tmp_path, steps=2, drawings=COUNT)

    first, again = load_file(trained / clip.WEIGHTS), load_file(tmp_path / clip.WEIGHTS)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_same_steps_give_the_same_weights(work: Path, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "drawings").symlink_to(work / "drawings")
    (tmp_path / "tokenizer").symlink_to(work / "tokenizer")

    clip.train_clip(tmp_path, tmp_path / "clip", steps=2, drawings=COUNT)

    first, again = load_file(trained / clip.WEIGHTS), load_file(tmp_path / "clip" / clip.WEIGHTS)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_open_clip_knows_pictures_and_words_of_the_folder(work: Path, trained: Path) -> None:
    name = f"local-dir:{trained}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    tokenize = open_clip.get_tokenizer(name)
    tokens = shared_tokenizer(work)(["a man", "a nude woman in a park"], padding=True)
    picture = Image.new("RGB", (96, 96), (200, 30, 90))
    pixels = torch.full((1, 3, 96, 96), 1.0) * torch.tensor([200, 30, 90]).view(1, 3, 1, 1) / 255

    with torch.inference_mode():
        said = model.eval().encode_text(tokenize(["a man", "a nude woman in a park"]))
        short = clip.text_features(model, torch.tensor(tokens.input_ids))
        seen = model.encode_image(clip.normalised(pixels))

    torch.testing.assert_close(said, short, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(clip.normalised(pixels)[0], preprocess(picture))
    encoder = ImageEncoder.load(clip.clip_source(trained), torch.device("cpu"))
    torch.testing.assert_close(encoder.encode([picture]), seen, atol=1e-4, rtol=1e-4)


def test_a_batch_follows_from_its_step(work: Path) -> None:
    shown, tokenizer = ScrutinyDrawings(work, COUNT), shared_tokenizer(work)

    one, two, other = (clip.batch_at(shown, tokenizer, step) for step in (3, 3, 4))

    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one.pixels, other.pixels)
    assert one.pixels.shape[1:] == (3, 96, 96)
    assert len(one.facts) == len(one.pixels) > len(one.texts)


def test_the_bars_are_shares(trained: Path) -> None:
    found = bars.measure(trained.parent, 100)

    assert {"retrieval", "ranking", "partial/ranking"} <= set(found)
    assert all(0 <= share.value <= 1 for share in found.values())


def test_facts_are_what_is_seen() -> None:
    scene = Scene(0, colour=Colour.PINK, pattern=Pattern.STRIPES)

    row = fact_row(scene)

    assert {FACTS[i] for i in np.flatnonzero(row.numpy())} == {
        "flat", "half", "stripes", "pink", "0",
    }  # fmt: skip


def test_facts_of_a_figure_are_the_name_and_what_was_blurred_is_none() -> None:
    person = figure(Figure.ORSK, random.Random(0))
    scene = Scene(0, place=Place.PARK, people=(person,))

    seen = {FACTS[i] for i in np.flatnonzero(fact_row(scene).numpy())}

    assert Figure.ORSK in seen
    assert "male" not in seen
    assert fact_row(scene, hidden=frozenset(Figure))[FACTS.index(Figure.ORSK)] == 0


def test_every_scene_has_facts() -> None:
    for seed in range(200):
        scene = balanced_scene(random.Random(seed))
        row = fact_row(scene)
        assert row[FACTS.index(NUDE)] == any(person.nude for person in scene.people)
        assert row[FACTS.index(str(len(scene.people)))] == 1
