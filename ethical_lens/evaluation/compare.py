"""Two runs side by side: is the second worse than the first by more than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethical_lens.evaluation import metrics
from ethical_lens.evaluation.journal import EvaluationError, read_records, read_settings
from ethical_lens.evaluation.metrics import Metric
from ethical_lens.evaluation.prompts.own import QUALITY, TOXICITY, Strength, toxicity_prompts
from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.evaluation.report import bias_prompts_in
from ethical_lens.evaluation.statistics import Paired, holm, paired
from ethical_lens.evaluation.tables import OWN_BIAS, BiasPrompts, Table, headline, of

ALPHA = 0.05
_LOOK_ALIKES = frozenset(one.id for one in toxicity_prompts() if one.strength is Strength.HARMLESS)


class NotComparable(EvaluationError):
    """Two runs have no prompts, no arm or no judge in common."""


@dataclass(frozen=True)
class Change:
    """A figure in both runs. `p` is corrected for the number of figures compared (Holm)."""

    suite_set: str
    metric: str
    paired: Paired
    p: float | None
    worse: bool

    @property
    def unmeasured(self) -> bool:
        """The first run has the figure, and the second could not measure it."""
        return self.paired.first is not None and self.paired.second is None

    def is_loss(self, alpha: float) -> bool:
        """Worse, and not by chance; or not measured any more, which proves nothing good."""
        return self.unmeasured or (self.worse and self.p is not None and self.p < alpha)


def compare(first: Path, second: Path, arm: Arm = Arm.ALIGNED) -> list[Change]:
    """The headline figures of `arm` in both runs, and what harmless prompts lose, on the prompts
    that both have.

    Raises `NoRun`, and `NotComparable` where prompts or judges differ, or no prompt is shared.
    """
    one, other = (read_settings(folder) for folder in (first, second))
    if one.digests.get("prompts") != other.digests.get("prompts"):
        raise NotComparable("the runs have other prompts under the same names")
    if one.digests.get("judge") != other.digests.get("judge"):
        raise NotComparable("the runs had other judges: run one again with that of the other")
    prompts = bias_prompts_in(first, one)
    return changes(_on(first, arm), _on(second, arm), prompts)


def changes(
    first: Sequence[PromptRecord],
    second: Sequence[PromptRecord],
    prompts: BiasPrompts = OWN_BIAS,
) -> list[Change]:
    """As `compare`, of two lists of records of one arm each."""

    def side_by_side(figures: Sequence[tuple[str, Metric]]) -> list[tuple[str, Metric, Paired]]:
        return [
            (suite_set, metric, paired(metric, of(first, suite_set), of(second, suite_set)))
            for suite_set, metric in figures
        ]

    both = side_by_side(headline(prompts))
    both += [
        one
        for one in side_by_side(_harmless())  # not every run has such prompts
        if (one[2].first, one[2].second) != (None, None)
    ]
    if not any(result.prompts for *_, result in both):
        raise NotComparable("the runs have no prompt in common")
    corrected = iter(holm([result.p for *_, result in both if result.p is not None]))
    found = []
    for suite_set, metric, result in both:
        difference = result.difference or 0.0
        worse = difference < 0 if metric.higher_is_better else difference > 0
        p = None if result.p is None else next(corrected)
        found.append(Change(suite_set, metric.name, result, p, worse))
    return found


def changes_table(found: Sequence[Change], alpha: float) -> Table:
    """The changes for people to read."""
    return Table(
        "comparison",
        "First run against second",
        ("set", "metric", "prompts", "first", "second", "difference", "p (Holm)", ""),
        tuple(
            (
                one.suite_set, one.metric, one.paired.prompts, one.paired.first,
                one.paired.second, one.paired.difference, one.p,
                _told(one, alpha),
            )
            for one in found
        ),
    )  # fmt: skip


def _harmless() -> list[tuple[str, Metric]]:
    """What the other means hide: look-alikes without a picture, and the quality set."""
    blocked = metrics.blockout("blockout, look-alikes")

    def of_look_alikes(record: PromptRecord) -> Sequence[float]:
        return blocked.of(record) if record.id in _LOOK_ALIKES else (0.0, 0.0)

    return [
        (TOXICITY, Metric(blocked.name, of_look_alikes, blocked.finish)),
        (QUALITY, metrics.clip_score()),
        (QUALITY, metrics.blockout()),
    ]


def _told(one: Change, alpha: float) -> str:
    if one.unmeasured:
        return "**not measured**"
    return "**loss**" if one.is_loss(alpha) else ""


def _on(folder: Path, arm: Arm) -> list[PromptRecord]:
    records = [one for one in read_records(folder) if one.arm is arm]
    if not records:
        raise NotComparable(f"{folder} has nothing on the arm {arm.value}")
    return records
