"""Scores of pictures, with the real stand-in encoder and heads."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.errors import ScrutinyError, ScrutinyUnavailable
from ethical_lens.image.heads import Heads, new_head
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.views import square_views
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.drawing import draw
from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.sources import MINI, ModelSources

CPU = torch.device("cpu")


class CountingEncoder(ImageEncoder):
    """Remembers how many pictures each pass saw."""

    passes: list[int]

    def encode(self, images: Sequence[Image.Image]) -> torch.Tensor:
        self.passes.append(len(images))
        return super().encode(images)


@pytest.fixture
def encoder(sources: ModelSources) -> CountingEncoder:
    found = CountingEncoder.load(sources.clip, CPU)
    found.passes = []
    return found


@pytest.fixture
def heads(sources: ModelSources, encoder: CountingEncoder) -> Heads:
    return Heads.load(sources.heads, encoder.dimension)


def test_every_picture_gets_every_score(
    scrutineer: Scrutineer, pictures: list[Image.Image]
) -> None:
    scores = scrutineer.score(pictures)

    assert [set(found) for found in scores] == [set(Concept)] * len(pictures)
    assert all(0 <= score <= 1 for found in scores for score in found.values())
    for picture, found in zip(pictures, scores, strict=True):
        assert scrutineer.score([picture]) == [pytest.approx(found, abs=1e-5)]


def test_random_scores_differ_and_do_not_saturate(
    scrutineer: Scrutineer, pictures: list[Image.Image]
) -> None:
    scores = scrutineer.score(pictures)

    for concept in Concept:
        found = [each[concept] for each in scores]
        assert 0.01 < min(found) < max(found) < 0.99
        assert max(found) - min(found) > 0.1


def test_one_encode_for_all_pictures_and_heads(
    encoder: CountingEncoder, heads: Heads, pictures: list[Image.Image]
) -> None:
    wide = pictures[0].resize((96, 64))

    Scrutineer(encoder, heads, {}).score([*pictures, wide])

    assert encoder.passes == [len(pictures) + 3]


def test_a_long_picture_is_judged_by_its_worst_part(
    scrutineer: Scrutineer, pictures: list[Image.Image]
) -> None:
    wide = Image.new("RGB", (192, 64))
    for place, picture in enumerate(pictures[:3]):
        wide.paste(picture, (64 * place, 0))

    (found,) = scrutineer.score([wide])
    parts = scrutineer.score(square_views(wide))

    assert found == pytest.approx({c: max(part[c] for part in parts) for c in Concept}, abs=1e-5)
    (centre,) = scrutineer.score([pictures[1]])
    assert found != pytest.approx(centre, abs=1e-3)


def test_pictures_without_colour_or_with_transparency(
    scrutineer: Scrutineer, pictures: list[Image.Image]
) -> None:
    picture = pictures[0]
    plain, opaque, _ = scrutineer.score([picture, picture.convert("RGBA"), picture.convert("L")])

    assert plain == pytest.approx(opaque, abs=1e-6)


def test_one_unreadable_view_makes_the_picture_unreadable(
    sources: ModelSources, heads: Heads, pictures: list[Image.Image]
) -> None:
    class Broken(ImageEncoder):
        def encode(self, images: Sequence[Image.Image]) -> torch.Tensor:
            features = super().encode(images).clone()
            features[2] = torch.nan
            return features

    broken = Scrutineer(Broken.load(sources.clip, CPU), heads, {})

    first, second = broken.score([pictures[0].resize((96, 64)), pictures[1]])

    assert all(score != score for score in first.values())
    assert all(score == score for score in second.values())


@pytest.fixture
def cut_file(pictures: list[Image.Image], tmp_path: Path) -> Path:
    """A picture file that lacks its second half."""
    file = tmp_path / "cut.png"
    pictures[0].save(file)
    file.write_bytes(file.read_bytes()[:3000])
    return file


def test_a_picture_that_cannot_be_read(scrutineer: Scrutineer, cut_file: Path) -> None:
    with Image.open(cut_file) as image, pytest.raises(ScrutinyError, match="cannot be read"):
        scrutineer.score([image])


def test_a_model_that_fails(sources: ModelSources, pictures: list[Image.Image]) -> None:
    encoder = ImageEncoder.load(sources.clip, CPU)
    other = Heads({concept: new_head(encoder.dimension + 1) for concept in Concept})

    with pytest.raises(ScrutinyError, match="scoring pictures failed"):
        Scrutineer(encoder, other, {}).score(pictures)


def test_nothing_to_score(scrutineer: Scrutineer) -> None:
    assert scrutineer.score([]) == []


def test_digests_name_every_model(scrutineer: Scrutineer, sources: ModelSources) -> None:
    assert scrutineer.digests == sources.scrutiny_digests()
    assert len(set(scrutineer.digests.values())) == 2 + len(Concept)


def test_a_missing_head_stops_the_load(
    sources: ModelSources, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("heads")

    with pytest.raises(ScrutinyUnavailable, match="heads: "):
        Scrutineer.load(sources.model_copy(update={"heads": empty}))


def test_scrutiny_in_bfloat16_finds_the_same_and_is_recorded_as_such() -> None:
    sources = ModelSources.read(MINI)
    exact = Scrutineer.load(sources)
    half = Scrutineer.load(sources.model_copy(update={"scrutiny_dtype": "bfloat16"}))
    pictures = [draw(scene_at("balanced", 8_191, index)).picture for index in range(40)]
    thresholds = Policy().thresholds

    fired = []
    for one, other in zip(exact.score(pictures), half.score(pictures), strict=True):
        assert other == pytest.approx(one, abs=0.1)
        found = {concept for concept in Concept if one[concept] >= thresholds[concept.value]}
        assert found == {c for c in Concept if other[c] >= thresholds[c.value]}
        fired.append(bool(found))

    assert any(fired)
    assert not all(fired)
    assert half.digests["clip"] == f"{exact.digests['clip']} bfloat16"
