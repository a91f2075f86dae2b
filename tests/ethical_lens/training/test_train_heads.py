"""Heads from features and labels."""

from pathlib import Path

import pytest
import torch

from ethical_lens.image.heads import Heads
from ethical_lens.results import Concept
from ethical_lens.training.heads.fitting import HeadTraining, save_heads, train_head

pytestmark = pytest.mark.models

QUICK = HeadTraining(steps=400, rate=1e-3, held_out=0.25)


def rows(count: int = 800) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of eight numbers; one row in ten is a yes, told by the first number."""
    chance = torch.Generator().manual_seed(1)
    features = torch.randn(count, 8, generator=chance)
    labels = torch.rand(count, generator=chance) < 0.1
    features[:, 0] += 6 * labels.float()
    return features, labels


def test_a_head_learns_a_rare_answer() -> None:
    trained = train_head(*rows(), threshold=0.5, settings=QUICK)

    report = trained.held_out
    assert report.rows == 200
    assert report.precision is not None
    assert report.precision > 0.8
    assert report.recall is not None
    assert report.recall > 0.9


def test_the_same_inputs_give_the_same_head_and_draw_nothing() -> None:
    before = torch.get_rng_state()

    one, two = (train_head(*rows(), threshold=0.5, settings=QUICK).head for _ in range(2))

    assert torch.equal(torch.get_rng_state(), before)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])


def test_held_out_rows_change_nothing() -> None:
    features, labels = rows()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(QUICK.seed))
    changed = features.clone()
    changed[order[:200]] = 0.0

    one = train_head(features, labels, threshold=0.5, settings=QUICK).head
    two = train_head(changed, labels, threshold=0.5, settings=QUICK).head

    assert torch.equal(one.state_dict()["0.weight"], two.state_dict()["0.weight"])


def test_rows_of_no_weight_are_never_trained_on() -> None:
    features, labels = rows()
    weights = (torch.arange(len(labels)) % 2).float()
    changed = torch.where(weights[:, None] == 0, -features, features)

    one = train_head(features, labels, threshold=0.5, settings=QUICK, weights=weights).head
    two = train_head(changed, labels, threshold=0.5, settings=QUICK, weights=weights).head

    assert torch.equal(one.state_dict()["0.weight"], two.state_dict()["0.weight"])


def test_saved_heads_are_what_scrutiny_loads(tmp_path: Path) -> None:
    features, labels = rows()
    head = train_head(features, labels, threshold=0.5, settings=QUICK).head

    save_heads(dict.fromkeys(Concept, head), tmp_path)
    scores = Heads.load(tmp_path, 8).scores(features)

    expected = torch.sigmoid(head(features)).squeeze(1)
    for concept in Concept:
        torch.testing.assert_close(scores[concept], expected, atol=5e-3, rtol=0)


def test_one_answer_alone_teaches_nothing() -> None:
    features, _ = rows(40)
    with pytest.raises(ValueError, match="both answers"):
        train_head(features, torch.zeros(40, dtype=torch.bool), threshold=0.5, settings=QUICK)


def test_each_row_has_a_label() -> None:
    features, labels = rows(40)
    with pytest.raises(ValueError, match="labels"):
        train_head(features, labels[:-1], threshold=0.5, settings=QUICK)
