"""The heads: their numbers, against the same sums by hand."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ethical_lens.image.errors import ScrutinyUnavailable
from ethical_lens.image.heads import Heads, new_head
from ethical_lens.results import Concept

PUBLISHED = Path(
    os.environ.get(
        "ETHICAL_LENS_PUBLISHED_HEADS",
        Path(__file__).parents[4] / "shared" / "reference" / "heads",
    )
)


def made_up(folder: Path, dimension: int = 6, suffix: str = "pt") -> Path:
    """Five heads with every number drawn at random, BatchNorm's statistics included."""
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(11)
    for concept in Concept:
        state = {
            key: torch.randn(value.shape, generator=generator).abs()
            + (0.1 if "running_var" in key else -0.5)
            if value.is_floating_point()
            else value
            for key, value in new_head(dimension).state_dict().items()
        }
        file = folder / f"{concept.value}.{suffix}"
        if suffix == "pt":
            torch.save(state, file)
        else:
            save_file(state, file)
    return folder


def by_hand(file: Path, features: torch.Tensor) -> np.ndarray:
    """The head's score in double precision, straight from the numbers of the file."""
    stored = torch.load(file, map_location="cpu", weights_only=True)
    w = {key: value.double().numpy() for key, value in stored.items()}
    hidden = np.maximum(features.double().numpy() @ w["0.weight"].T + w["0.bias"], 0)
    spread = np.sqrt(w["3.running_var"] + 1e-5)
    normal = (hidden - w["3.running_mean"]) / spread * w["3.weight"] + w["3.bias"]
    logits = normal @ w["4.weight"].T + w["4.bias"]
    score: np.ndarray = 1 / (1 + np.exp(-logits[:, 0]))
    return score


def features_of(dimension: int) -> torch.Tensor:
    return torch.randn(40, dimension, generator=torch.Generator().manual_seed(7))


def assert_same_as_by_hand(folder: Path, dimension: int) -> None:
    features = features_of(dimension)

    scores = Heads.load(folder, dimension).scores(features)

    assert set(scores) == set(Concept)
    for concept, found in scores.items():
        expected = by_hand(folder / f"{concept.value}.pt", features)
        assert found.shape == (40,)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-6, rtol=0)
        assert expected.std() > 0.001


def test_scores_are_those_of_the_same_sums_by_hand(tmp_path: Path) -> None:
    assert_same_as_by_hand(made_up(tmp_path), 6)


@pytest.mark.skipif(
    not (PUBLISHED / "nude.pt").is_file(), reason="the published heads are not at hand"
)
def test_the_published_heads_give_their_numbers() -> None:
    assert_same_as_by_hand(PUBLISHED, 768)


def test_safetensors_and_pt_are_alike(tmp_path: Path) -> None:
    features = features_of(6)
    one = Heads.load(made_up(tmp_path / "pt"), 6).scores(features)
    other = Heads.load(made_up(tmp_path / "st", suffix="safetensors"), 6).scores(features)

    assert all(torch.equal(one[concept], other[concept]) for concept in Concept)


def test_a_score_depends_neither_on_the_batch_nor_on_chance(tmp_path: Path) -> None:
    # BatchNorm and Dropout in training mode would break both.
    heads, features = Heads.load(made_up(tmp_path), 6), features_of(6)

    whole = heads.scores(features)

    for concept, alone in heads.scores(features[3:4]).items():
        torch.testing.assert_close(alone, whole[concept][3:4])
        assert torch.equal(whole[concept], heads.scores(features)[concept])


def test_not_a_number_in_not_a_number_out(tmp_path: Path) -> None:
    features = features_of(6)
    features[1, 0] = torch.nan

    for scores in Heads.load(made_up(tmp_path), 6).scores(features).values():
        assert scores.isnan().nonzero().flatten().tolist() == [1]


@pytest.mark.parametrize("concept", Concept)
def test_a_missing_head(tmp_path: Path, concept: Concept) -> None:
    made_up(tmp_path)
    (tmp_path / f"{concept.value}.pt").unlink()

    with pytest.raises(ScrutinyUnavailable, match=f"does not hold {concept.value}, each"):
        Heads.load(tmp_path, 6)


def test_heads_of_another_encoder(tmp_path: Path) -> None:
    with pytest.raises(ScrutinyUnavailable, match="is not a head for 8 features"):
        Heads.load(made_up(tmp_path), 8)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", torch.zeros(3), {"0.weight": torch.zeros(3, 6)}],
    ids=["empty", "text", "tensor", "part"],
)
def test_a_file_that_is_no_head(tmp_path: Path, content: object) -> None:
    file = made_up(tmp_path) / "nude.pt"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)

    with pytest.raises(ScrutinyUnavailable, match=r"nude\.pt is not a head"):
        Heads.load(tmp_path, 6)


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    file = made_up(tmp_path) / "nude.pt"
    state = torch.load(file, weights_only=True)
    state["4.bias"][0] = torch.nan
    torch.save(state, file)

    with pytest.raises(ScrutinyUnavailable, match="not finite"):
        Heads.load(tmp_path, 6)
