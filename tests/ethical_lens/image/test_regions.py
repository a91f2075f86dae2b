"""Finding regions with a real, small CLIPSeg."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from ethical_lens.image.errors import ScrutinyError, ScrutinyUnavailable, UnreadableRegions
from ethical_lens.image.regions import RegionFinder, dilate
from ethical_lens.policy import BlurSettings
from ethical_lens.sources import ModelSources

PLAIN = BlurSettings(dilation=0)


@pytest.fixture(scope="module")
def parts(sources: ModelSources) -> tuple[Any, Any]:
    """Model and processor."""
    return (
        CLIPSegForImageSegmentation.from_pretrained(sources.regions).eval(),
        CLIPSegProcessor.from_pretrained(sources.regions),
    )


@pytest.fixture
def model(parts: tuple[Any, Any]) -> Any:
    """A model of its own, to be damaged."""
    return copy.deepcopy(parts[0])


@pytest.fixture
def damaged(model: Any, parts: tuple[Any, Any]) -> RegionFinder:
    """Works with `model` as the test leaves it."""
    return RegionFinder(model, parts[1], torch.device("cpu"))


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (40, 72)])
def test_a_mask_is_as_large_as_the_picture(
    region_finder: RegionFinder, pictures: list[Image.Image], size: tuple[int, int]
) -> None:
    mask = region_finder.find(pictures[0].resize(size), "face", PLAIN)

    assert mask is not None
    assert mask.dtype == np.bool_
    assert mask.shape == (size[1], size[0])
    assert 0 < mask.mean() < 1


def test_the_threshold_is_absolute(
    region_finder: RegionFinder, pictures: list[Image.Image]
) -> None:
    shares = []
    for threshold in (0.05, 0.2, 0.5):
        mask = region_finder.find(
            pictures[0], "face", BlurSettings(dilation=0, mask_threshold=threshold)
        )
        shares.append(0.0 if mask is None else mask.mean())

    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_what_is_not_there_has_no_mask(
    region_finder: RegionFinder, pictures: list[Image.Image]
) -> None:
    nowhere = BlurSettings(mask_threshold=0.999)

    assert [region_finder.find(picture, "face", nowhere) for picture in pictures] == [None] * 8


@pytest.mark.parametrize(("level", "found"), [(-10.0, None), (-1.4, None), (-1.3, 1.0), (9.0, 1.0)])
def test_a_flat_answer(
    model: Any,
    damaged: RegionFinder,
    pictures: list[Image.Image],
    level: float,
    found: float | None,
) -> None:
    # Stretched to 0..1, as the reference did, a flat answer divides by zero. sigmoid(-1.386) is
    # the threshold, 0.2.
    last = model.decoder.transposed_convolution
    last.weight.data.zero_()
    last.bias.data.fill_(level)

    mask = damaged.find(pictures[0], "face", BlurSettings())

    assert (None if mask is None else mask.mean()) == found


def test_a_faint_answer_is_not_stretched_into_a_region(
    model: Any, damaged: RegionFinder, pictures: list[Image.Image]
) -> None:
    model.decoder.transposed_convolution.bias.data -= 12

    assert damaged.find(pictures[0], "face", BlurSettings()) is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_an_answer_that_is_not_finite(
    model: Any, damaged: RegionFinder, pictures: list[Image.Image], value: float
) -> None:
    model.decoder.transposed_convolution.bias.data.fill_(value)

    with pytest.raises(UnreadableRegions, match="not finite"):
        damaged.find(pictures[0], "face", BlurSettings())


def test_a_model_that_fails(model: Any, damaged: RegionFinder, pictures: list[Image.Image]) -> None:
    model.decoder.transposed_convolution = torch.nn.Conv2d(3, 1, 1)

    with pytest.raises(ScrutinyError, match="looking for 'face' failed"):
        damaged.find(pictures[0], "face", BlurSettings())


def test_the_query_counts(region_finder: RegionFinder, pictures: list[Image.Image]) -> None:
    # Random weights listen to the query only faintly: look at all pictures and thresholds.
    def masks(query: str) -> list[np.ndarray | None]:
        return [
            region_finder.find(picture, query, BlurSettings(dilation=0, mask_threshold=threshold))
            for picture in pictures
            for threshold in (0.1, 0.2, 0.3)
        ]

    pairs = zip(masks("nude body"), masks("a red bicycle"), strict=True)
    assert any(
        not np.array_equal(one, other)
        for one, other in pairs
        if one is not None and other is not None
    )


def test_a_name_of_any_length(region_finder: RegionFinder, pictures: list[Image.Image]) -> None:
    query = f"{' '.join(['Ada'] * 300)}'s face"

    assert region_finder.find(pictures[0], query, BlurSettings()) is not None


def test_dilation_grows_the_region(
    region_finder: RegionFinder, pictures: list[Image.Image]
) -> None:
    plain = region_finder.find(pictures[0], "face", PLAIN)
    grown = region_finder.find(pictures[0], "face", BlurSettings(dilation=30))

    assert plain is not None
    assert grown is not None
    assert grown[plain].all()
    # 30 pixels of 512 are 4 of 64.
    expected = dilate(torch.from_numpy(plain)[None, None], 4)[0, 0].numpy()
    assert (grown == expected).all()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 9])
def test_dilation_of_a_point_is_a_square(size: int) -> None:
    mask = torch.zeros(1, 1, 20, 30, dtype=torch.bool)
    mask[0, 0, 10, 15] = True

    rows, columns = dilate(mask, size)[0, 0].nonzero(as_tuple=True)

    side = max(size, 1)
    assert len(rows) == side**2
    assert rows.max() - rows.min() == columns.max() - columns.min() == side - 1
    assert abs(int(rows.min() + rows.max()) - 20) <= 1
    assert abs(int(columns.min() + columns.max()) - 30) <= 1


def test_dilation_stops_at_the_border() -> None:
    mask = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    mask[0, 0, 0, 4] = True

    assert dilate(mask, 3)[0, 0].nonzero().tolist() == [[0, 3], [0, 4], [1, 3], [1, 4]]


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ScrutinyUnavailable, match="cannot be loaded as CLIPSeg"):
        RegionFinder.load(str(tmp_path), "cpu")


class CountingEncoder(torch.nn.Module):
    """Counts the passes of the picture encoder that it stands before."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder, self.passes = encoder, list[int]()

    def forward(self, *, pixel_values: torch.Tensor, **options: Any) -> Any:
        self.passes.append(len(pixel_values))
        return self.encoder(pixel_values=pixel_values, **options)


def test_several_targets_cost_one_pass_and_are_found_as_the_model_finds_them(
    parts: tuple[Any, Any], model: Any, damaged: RegionFinder, pictures: list[Image.Image]
) -> None:
    queries = ["nude body", "face", "Ada Example's face, and a few words more"]
    model.clip.vision_model = CountingEncoder(model.clip.vision_model)

    found = damaged.find_all(pictures[0], queries, PLAIN)

    assert model.clip.vision_model.passes == [1]
    inputs = parts[1](
        text=queries, images=[pictures[0]] * 3, return_tensors="pt", padding=True, truncation=True
    )
    with torch.inference_mode():
        expected = torch.sigmoid(parts[0](**inputs).logits) > PLAIN.mask_threshold
    for mask, wanted in zip(found, expected, strict=True):
        assert mask is not None
        assert (mask != wanted.numpy()).mean() < 0.001
    alone = damaged.find(pictures[0], queries[1], PLAIN)
    assert alone is not None
    assert found[1] is not None
    assert (alone != found[1]).mean() < 0.001


def test_no_target_costs_nothing(
    model: Any, damaged: RegionFinder, pictures: list[Image.Image]
) -> None:
    model.clip.vision_model = CountingEncoder(model.clip.vision_model)
    assert damaged.find_all(pictures[0], [], PLAIN) == []
    assert model.clip.vision_model.passes == []
