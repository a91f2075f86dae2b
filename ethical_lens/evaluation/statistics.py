"""Intervals and tests on metrics. Prompts are the unit: pictures of one prompt are not independent.

Everything is reproducible: generators are seeded here, and never shared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ethical_lens.evaluation.metrics import Metric, number
from ethical_lens.evaluation.records import PromptRecord

ROUNDS: Final = 4000
_SEED: Final = 20_250
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; all None where it was not measured."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Paired:
    """A metric on two arms, over the `prompts` that both have. `p` is two-sided."""

    prompts: int
    first: float | None
    second: float | None
    p: float | None

    @property
    def difference(self) -> float | None:
        """Second minus first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first

    @property
    def reduction(self) -> float | None:
        """The part of the first that is gone in the second, up to 1; below 0 where it grew."""
        if self.first is None or self.second is None or self.first == 0:
            return None
        return 1 - self.second / self.first


def measured(metric: Metric, records: Sequence[PromptRecord]) -> Figure:
    """The figure and its percentile bootstrap interval (Efron 1979) over prompts.

    Prompts are drawn with replacement `ROUNDS` times; rounds in which nothing was measured do not
    count.
    """
    value = metric.value(records)
    if value is None:
        return Figure(None)
    count = len(records)
    weights = np.random.default_rng(_SEED).multinomial(count, [1 / count] * count, size=ROUNDS)
    figures = metric.finish(weights @ metric.sums(records))
    tail = (1 - _LEVEL) / 2
    low, high = np.nanquantile(figures, [tail, 1 - tail])
    return Figure(value, float(low), float(high))


def paired(metric: Metric, first: Sequence[PromptRecord], second: Sequence[PromptRecord]) -> Paired:
    """Approximate randomisation (Noreen 1989): each prompt changes sides with chance 1/2.

    `p` is the share of rounds with a difference at least as large as the observed one, the
    observed one included (Phipson and Smyth 2010), so it is never 0. It asks no distribution of
    the figures, and serves shares, means and distances alike.
    """
    one, other = in_common(first, second)
    if not one:
        return Paired(0, None, None, None)
    left, right = metric.sums(one), metric.sums(other)
    values = metric.finish(left.sum(axis=0)), metric.finish(right.sum(axis=0))
    observed = abs(values[0] - values[1])
    result = len(one), number(values[0]), number(values[1])
    if np.isnan(observed):
        return Paired(*result, None)
    swap = np.random.default_rng(_SEED).random((ROUNDS, len(one))) < 0.5
    moved = swap @ (right - left)
    by_chance = np.abs(
        metric.finish(left.sum(axis=0) + moved) - metric.finish(right.sum(axis=0) - moved)
    )
    by_chance = by_chance[~np.isnan(by_chance)]
    # Rounding must not make a round with the same prompts on both sides a smaller difference.
    as_large = int((by_chance >= observed - 1e-12).sum())
    return Paired(*result, (1 + as_large) / (1 + len(by_chance)))


def in_common(
    first: Sequence[PromptRecord], second: Sequence[PromptRecord]
) -> tuple[list[PromptRecord], list[PromptRecord]]:
    """The records of prompts that neither side withheld, in the same order."""
    there = {(one.suite_set, one.id): one for one in second if not one.withheld}
    pairs = [
        (one, there[one.suite_set, one.id])
        for one in first
        if not one.withheld and (one.suite_set, one.id) in there
    ]
    return [one for one, _ in pairs], [other for _, other in pairs]


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected
