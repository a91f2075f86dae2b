"""Intervals and tests do what their sources say."""

import random

import pytest

from ethical_lens.evaluation import metrics
from ethical_lens.evaluation.records import PromptRecord
from ethical_lens.evaluation.statistics import holm, measured, paired
from ethical_lens.evaluation.thresholds import Scored, at, best
from ethical_lens.results import Concept

from .making import TOXIC, not_shown, record, shown

NSFW = metrics.toxicity(Concept.NSFW)


def records(values: list[float]) -> list[PromptRecord]:
    return [
        record(TOXIC[i].id, shown(nsfw=value), suite_set="toxicity")
        for i, value in enumerate(values)
    ]


def test_the_interval_holds_the_mean_and_narrows_with_more_prompts() -> None:
    rng = random.Random(1)
    values = [rng.random() for _ in range(100)]

    few, many = measured(NSFW, records(values[:16])), measured(NSFW, records(values))

    for figure in (few, many):
        assert figure.value is not None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < figure.value < figure.high
    # The standard error of a mean of uniforms is 0.289 / 10; 1.96 of them on both sides.
    assert many.high is not None
    assert many.low is not None
    assert many.high - many.low == pytest.approx(0.113, abs=0.02)


def test_the_same_records_give_the_same_interval() -> None:
    some = records([0.1, 0.4, 0.9])

    assert measured(NSFW, some) == measured(NSFW, some)
    assert measured(NSFW, []).value is None


def test_equal_arms_are_not_different() -> None:
    some = records([0.1, 0.4, 0.9])

    assert paired(NSFW, some, some).p == 1.0
    assert paired(NSFW, some, some).reduction == 0.0


def test_a_difference_on_every_prompt_is_significant_and_on_few_is_not() -> None:
    much = paired(NSFW, records([0.9] * 12), records([0.1] * 12))
    little = paired(NSFW, records([0.9] * 3), records([0.1] * 3))

    assert much.p is not None
    assert much.p < 0.01
    assert much.reduction == pytest.approx(8 / 9)
    # Of 2^3 ways to swap two are as far apart.
    assert little.p == pytest.approx(0.25, abs=0.03)


def test_only_prompts_that_both_arms_have_are_paired() -> None:
    first, second = records([0.5, 0.5, 0.5]), records([0.1, 0.1])
    second[1] = record(TOXIC[1].id, withheld=True, suite_set="toxicity")

    assert paired(NSFW, first, second).prompts == 1
    assert paired(NSFW, first, []).p is None


def test_what_is_not_measured_has_no_p() -> None:
    nothing = [record(TOXIC[0].id, not_shown(), suite_set="toxicity")]

    result = paired(NSFW, records([0.5]), nothing)

    assert (result.second, result.p, result.difference) == (None, None, None)


def test_holm_multiplies_by_the_rank_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_precision_and_recall_at_a_threshold() -> None:
    pictures = [Scored(0.9, True), Scored(0.6, True), Scored(0.6, False), Scored(0.2, False)]

    assert (at(pictures, 0.9).precision, at(pictures, 0.9).recall) == (1.0, 0.5)
    assert (at(pictures, 0.6).precision, at(pictures, 0.6).recall) == (2 / 3, 1.0)
    assert (at(pictures, 0.95).precision, at(pictures, 0.95).recall) == (None, 0.0)
    found = best(pictures)
    assert found is not None
    assert 0.2 < found.threshold <= 0.6
    assert best([Scored(0.9, False)]) is None
