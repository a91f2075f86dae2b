"""Scores and labels to curves, shares with intervals, and a threshold for a wished precision."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

FEWEST: Final = 5
"""Pictures that must fire before a precision counts as reached: of one picture it is 0 or 1."""
BINS: Final = 10
_ROUNDS: Final = 1000
_SEED: Final = 20_250
_Z: Final = 1.959964  # 95 %


@dataclass(frozen=True)
class Share:
    """`hits` of `count` with the 95 % interval of Wilson (1927); all None of nothing."""

    hits: int
    count: int

    @property
    def value(self) -> float | None:
        return self.hits / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.count:
            return None
        n, p, z = self.count, self.hits / self.count, _Z
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % percentile bootstrap interval over pictures (Efron 1979)."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """Precision and recall where a head fires at or above each of `thresholds`.

    The thresholds are the scores that occur, from high to low, so that recall never falls.
    `fired`: how many pictures fire.
    """

    thresholds: Scores
    precision: Scores
    recall: Scores
    fired: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reached:
    """A threshold and what it gives on the pictures it was chosen on."""

    threshold: float
    precision: float
    recall: float


def curve(scores: Scores, labels: Labels) -> Curve:
    """`scores` (n,) and `labels` (n,), with at least one yes."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # equal scores fire as one
    right, fired = np.cumsum(labels[order])[ends], ends + 1
    return Curve(ordered[ends], right / fired, right / labels.sum(), fired)


def threshold_for(wished: float, scores: Scores, labels: Labels) -> Reached | None:
    """The threshold with the highest recall among those with at least the `wished` precision.

    Of equals the most precise; it lies midway to the next lower score. None where at least
    `FEWEST` pictures never fire with that precision.
    """
    return _best(curve(scores, labels), lambda found: found.precision >= wished)


def most_precise(scores: Scores, labels: Labels) -> Reached | None:
    """The highest precision that any threshold reaches; None for fewer than `FEWEST` pictures."""
    found = curve(scores, labels)
    counted = found.precision[found.fired >= FEWEST]
    return _best(found, lambda one: one.precision == counted.max()) if len(counted) else None


def at(threshold: float, scores: Scores, labels: Labels) -> tuple[Share, Share, Share]:
    """Precision, recall, and false alarms: what fires of the pictures that do not show it."""
    fired = scores >= threshold
    right, found = int((fired & labels).sum()), int(fired.sum())
    yes = int(labels.sum())
    return Share(right, found), Share(right, yes), Share(found - right, len(labels) - yes)


def average_precision(scores: Scores, labels: Labels) -> float:
    """Area under precision and recall as steps, without interpolation (Boyd et al. 2013)."""
    found = curve(scores, labels)
    return float(np.sum(np.diff(found.recall, prepend=0.0) * found.precision))


def brier(scores: Scores, labels: Labels) -> float:
    """Mean squared difference of score and answer (Brier 1950): 0 is best."""
    return float(np.mean((scores - labels) ** 2))


def calibration_error(scores: Scores, labels: Labels) -> float:
    """Expected calibration error over `BINS` equally wide bins (Naeini et al. 2015): 0 is best."""
    return sum(
        abs(mean - share) * count for mean, share, count in reliability(scores, labels)
    ) / len(scores)


def reliability(scores: Scores, labels: Labels) -> list[tuple[float, float, int]]:
    """Mean score, share of yes and number of pictures of each bin that has any."""
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        (float(scores[here].mean()), float(labels[here].mean()), int(here.sum()))
        for here in (bins == which for which in range(BINS))
        if here.any()
    ]


def measured(figure: Callable[[Scores, Labels], float], scores: Scores, labels: Labels) -> Measured:
    """`figure` and its interval; rounds that draw a single answer do not count."""
    rng = np.random.default_rng(_SEED)
    rounds = []
    for _ in range(_ROUNDS):
        drawn = rng.integers(len(scores), size=len(scores))
        if 0 < labels[drawn].sum() < len(drawn):
            rounds.append(figure(scores[drawn], labels[drawn]))
    low, high = np.quantile(rounds, [0.025, 0.975])
    return Measured(figure(scores, labels), (float(low), float(high)))


def _best(found: Curve, good: Callable[[Curve], npt.NDArray[np.bool_]]) -> Reached | None:
    places = np.flatnonzero(good(found) & (found.fired >= FEWEST))
    if not len(places):
        return None
    best = max(places, key=lambda i: (found.recall[i], found.precision[i]))
    upper = float(found.thresholds[best])
    lower = float(found.thresholds[best + 1]) if best + 1 < len(found.thresholds) else 0.0
    return Reached((upper + lower) / 2, float(found.precision[best]), float(found.recall[best]))
