"""Curves, thresholds, intervals and calibration, on numbers that can be counted by hand."""

import numpy as np
import pytest
import torch

from ethical_lens.image.heads import new_head
from ethical_lens.training.heads import measures
from ethical_lens.training.heads.calibration import Calibration, platt
from ethical_lens.training.heads.features import Rows

pytestmark = pytest.mark.models

SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
LABELS = np.array([1, 1, 1, 0, 1, 1, 0, 0], dtype=bool)


def test_precision_and_recall_at_every_score() -> None:
    found = measures.curve(SCORES, LABELS)
    np.testing.assert_allclose(found.precision, [1, 1, 1, 3 / 4, 4 / 5, 5 / 6, 5 / 7, 5 / 8])
    np.testing.assert_allclose(found.recall, np.array([1, 2, 3, 3, 4, 5, 5, 5]) / 5)


def test_equal_scores_fire_together() -> None:
    found = measures.curve(np.array([0.5, 0.5, 0.1]), np.array([True, False, True]))
    assert found.thresholds.tolist() == [0.5, 0.1]
    assert found.precision.tolist() == [0.5, 2 / 3]


def test_a_threshold_takes_the_most_recall_at_the_wished_precision() -> None:
    found = measures.threshold_for(0.8, SCORES, LABELS)
    assert found is not None
    assert found.threshold == pytest.approx(0.35)  # midway between 0.4 and 0.3
    assert (found.precision, found.recall) == (5 / 6, 1)


def test_a_precision_of_few_pictures_is_not_reached() -> None:
    # The first three are all right, but fewer than FEWEST.
    assert measures.threshold_for(0.95, SCORES, LABELS) is None
    best = measures.most_precise(SCORES, LABELS)
    assert best is not None
    assert best.precision == 5 / 6


def test_a_threshold_above_all_that_is_wrong() -> None:
    scores = np.linspace(0.99, 0.01, 40)
    found = measures.threshold_for(1.0, scores, scores > 0.5)
    assert found is not None
    assert (found.precision, found.recall) == (1, 1)
    assert not ((scores < 0.5) & (scores >= found.threshold)).any()


def test_wilsons_interval() -> None:
    low, high = measures.Share(9, 10).interval or (0, 0)
    # Wilson 1927 for 9 of 10, as in many textbooks.
    assert (low, high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))
    assert measures.Share(0, 0).value is None
    assert measures.Share(0, 0).interval is None


def test_average_precision_is_the_area_of_steps() -> None:
    assert measures.average_precision(SCORES, LABELS) == pytest.approx(
        (1 + 1 + 1 + 4 / 5 + 5 / 6) / 5
    )


def test_intervals_hold_the_figure_and_narrow_with_more_pictures() -> None:
    few = measures.measured(measures.brier, SCORES, LABELS)
    many = measures.measured(measures.brier, np.tile(SCORES, 50), np.tile(LABELS, 50))
    for one in (few, many):
        assert one.interval[0] <= one.value <= one.interval[1]
    assert many.interval[1] - many.interval[0] < (few.interval[1] - few.interval[0]) / 3


def skewed(count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are twice as sure as they may be, and 1 too high."""
    chance = torch.Generator().manual_seed(0)
    true = 2 * torch.randn(count, generator=chance) - 2
    labels = torch.rand(count, generator=chance) < torch.sigmoid(true)
    return 2 * true + 1, labels


def test_platt_finds_the_line() -> None:
    found = platt(*skewed())
    assert found is not None
    assert found.scale == pytest.approx(0.5, abs=0.05)
    assert found.shift == pytest.approx(-0.5, abs=0.1)


def test_calibration_lowers_the_error_on_other_pictures() -> None:
    logits, labels = skewed(8000)
    found = platt(logits[:4000], labels[:4000])
    assert found is not None
    before, after = (
        measures.calibration_error(torch.sigmoid(some).double().numpy(), labels[4000:].numpy())
        for some in (logits[4000:], found.apply(logits[4000:]))
    )
    assert after < 0.03 < before


def test_answers_that_separate_give_a_finite_line() -> None:
    logits = torch.linspace(-5, 5, 40)
    found = platt(logits, logits > 0)
    assert found is not None
    assert 0 < found.scale < 50


def test_a_head_that_is_wrong_is_not_turned_round() -> None:
    logits = torch.linspace(-5, 5, 40)
    assert platt(logits, logits < 0) is None


def test_a_folded_line_gives_the_same_scores_in_the_same_shape() -> None:
    torch.manual_seed(0)
    head, rows = new_head(8).eval(), torch.randn(20, 8)
    line = Calibration(0.4, -1.5)

    folded = line.folded(head)

    torch.testing.assert_close(folded(rows), line.apply(head(rows)))
    assert {k: v.shape for k, v in folded.state_dict().items()} == {
        k: v.shape for k, v in head.state_dict().items()
    }


def test_training_sees_the_centre_and_judging_the_worst_view() -> None:
    torch.manual_seed(0)
    head, features = new_head(8).eval(), [torch.randn(count, 8) for count in (1, 3, 1)]
    rows = Rows.of(features, [True, False, True])

    torch.testing.assert_close(rows.centres, torch.stack([some[0] for some in features]))
    expected = torch.stack([head(some).max() for some in features]).double()
    torch.testing.assert_close(rows.logits(head), expected)
