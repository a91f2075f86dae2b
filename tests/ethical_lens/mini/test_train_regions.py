"""Training the region finder: masks, batches, and a folder that the project's loader reads."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ethical_lens.image.regions import RegionFinder
from ethical_lens.mini.bars import regions as bars
from ethical_lens.mini.bpe import save_tokenizer, train_tokenizer
from ethical_lens.mini.training import regions
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.masks import REGIONS, bit, region_maps
from ethical_lens.mini.training.scrutiny import ScrutinyDrawings, repaired, shared_tokenizer
from ethical_lens.mini.world.drawing import draw
from ethical_lens.policy import BlurSettings
from ethical_lens.results import Concept

pytestmark = pytest.mark.models

COUNT = 96


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    save_tokenizer(train_tokenizer(["nude body", "captain ardo's face"], 600), folder / "tokenizer")
    return folder


@pytest.fixture(scope="module")
def trained(work: Path) -> Path:
    out = work / "models" / "regions"
    regions.train_regions(work, out, steps=2, drawings=COUNT)
    return out


def test_maps_hold_every_mask(work: Path) -> None:
    drawings = Drawings(work / "drawings", "balanced", 5, 40)

    maps = region_maps(drawings)

    for index, scene in enumerate(drawings):
        masks = draw(scene).masks
        for region in REGIONS:
            truth = masks.get(region, np.zeros((96, 96), np.bool_))
            assert ((maps[index] & bit(region)) > 0).tolist() == truth.tolist()


def test_a_repair_changes_the_region_and_its_rim_only(work: Path) -> None:
    shown = ScrutinyDrawings(work, COUNT)
    index = int(shown.by_region["face"][0])
    before, map_ = shown.picture(index), shown.map(index)

    after = repaired(before, map_, "face", BlurSettings())

    changed = (before != after).any(axis=2)
    rows, columns = np.nonzero(map_ & bit("face"))
    assert changed[rows, columns].mean() > 0.5
    far = np.ones((96, 96), np.bool_)
    far[max(0, rows.min() - 6) : rows.max() + 7, max(0, columns.min() - 6) : columns.max() + 7] = 0
    assert not changed[far].any()


def test_what_was_blurred_is_there_no_more(work: Path) -> None:
    shown, rng = ScrutinyDrawings(work, COUNT), np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        one = shown.repaired(rng)
        concepts = shown.scene(one.index).concepts
        seen.add(one.removed if one.removed in concepts else None)
        assert (one.picture != shown.picture(one.index)).any()
        assert (one.removed is Concept.NUDE) == (one.region == "nude body")
        if one.region == "nude body":
            assert Concept.NUDE in concepts
    assert {Concept.NUDE, Concept.PUBLIC, None} == seen


def test_a_batch_asks_for_what_is_there_and_what_is_not(work: Path) -> None:
    shown = ScrutinyDrawings(work, COUNT)

    batch, again = regions.batch_at(shown, 1), regions.batch_at(shown, 1)

    assert torch.equal(batch.pixels, again.pixels)
    assert batch.asked == again.asked
    assert len(batch.asked) == batch.masks.shape[0] * batch.masks.shape[1]
    there = batch.masks.flatten(0, 1).amax(dim=(1, 2)) > 0.5
    assert 0 < there.sum() < len(there)
    for phrase, present in zip(batch.asked, there, strict=True):
        assert not (present and phrase in regions.NOT_THERE)


def test_a_batch_knows_what_is_meant_and_what_is_shown(work: Path) -> None:
    batch = regions.batch_at(ScrutinyDrawings(work, COUNT), 1)

    for phrase, meant in zip(batch.asked, batch.meant, strict=True):
        phrases = [*regions.PHRASES.values(), regions.NOT_THERE][int(meant)]
        assert phrase in phrases
    there = batch.masks.flatten(0, 1).amax(dim=(1, 2)) > 0.5
    for i in there.nonzero().flatten().tolist():
        assert batch.shown[i // 3, int(batch.meant[i])] == 1


def test_every_picture_is_asked_for_a_figure_that_is_not_there(work: Path) -> None:
    batch = regions.batch_at(ScrutinyDrawings(work, COUNT), 2)
    of_figures = {phrase for name in REGIONS[2:] for phrase in regions.PHRASES[name]}

    for row, masks in enumerate(batch.masks):
        asked = batch.asked[3 * row : 3 * row + 3]
        assert any(
            phrase in of_figures and mask.max() == 0
            for phrase, mask in zip(asked, masks, strict=True)
        )


def test_training_computes_what_the_model_does(work: Path) -> None:
    torch.manual_seed(0)
    tokenizer = shared_tokenizer(work)
    model = regions.new_segmenter(tokenizer).eval()
    picture = Image.fromarray(ScrutinyDrawings(work, COUNT).picture(0))
    inputs = regions.segmenter_processor(tokenizer)(
        text=["nude body", "face"], images=[picture] * 2, padding=True, return_tensors="pt"
    )
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255

    with torch.inference_mode():
        theirs = model(**inputs).logits
        ours = regions.answered(model, pixels, inputs.input_ids).logits

    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_the_saved_finder_is_loaded_as_float32(trained: Path) -> None:
    finder = RegionFinder.load(str(trained), "cpu")

    stored = load_file(trained / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert finder._model.dtype == torch.float32
    picture = Image.new("RGB", (96, 64), (9, 99, 199))
    everywhere = finder.find(picture, "face", BlurSettings(mask_threshold=1e-6))
    assert everywhere is not None
    assert everywhere.shape == (64, 96)


def test_the_bars_are_shares(trained: Path) -> None:
    found = bars.measure(trained.parent, 12)

    assert "nude body/absent" in found
    assert all(0 <= share.value <= 1 for share in found.values())
