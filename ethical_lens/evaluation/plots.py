"""The plots of a report, as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ethical_lens.evaluation import metrics
from ethical_lens.evaluation.prompts.own import BIAS, TOXICITY
from ethical_lens.evaluation.records import Arm, PromptRecord
from ethical_lens.evaluation.tables import OWN_BIAS, BiasPrompts, of
from ethical_lens.evaluation.thresholds import STEPS, at, scored
from ethical_lens.plotting import write_figure
from ethical_lens.policy import DEFAULT_CONCEPTS
from ethical_lens.results import Attribute, Concept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = {
    Arm.BASE: "#9aa0a6",
    Arm.ALIGNED: "#1a73e8",
    Arm.NO_TEXT: "#e8710a",
    Arm.NO_IMAGE: "#188038",
    Arm.NO_FACE_EDIT: "#9334e6",
    Arm.RULES: "#12b5cb",
    Arm.LLM: "#d93025",
    Arm.LOCAL_LLM: "#f9ab00",
    Arm.API: "#3c4043",
}
_COMPARED: Final = (Arm.BASE, Arm.ALIGNED)


def write_plots(
    records: Sequence[PromptRecord], folder: Path, prompts: BiasPrompts = OWN_BIAS
) -> list[Path]:
    """`attributes`, `scores`, `thresholds` and `tradeoff`, each as PNG; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_figure(
            folder / "attributes.png",
            1,
            3,
            lambda axes: _attributes(of(records, BIAS), prompts, axes),
        ),
        write_figure(
            folder / "scores.png", 1, 5, lambda axes: _scores(of(records, TOXICITY), axes)
        ),
        write_figure(folder / "thresholds.png", 1, 5, lambda axes: _thresholds(records, axes)),
        write_figure(
            folder / "tradeoff.png", 1, 1, lambda axes: _tradeoff(of(records, TOXICITY), axes)
        ),
    ]


def _attributes(
    records: Sequence[PromptRecord], prompts: BiasPrompts, axes: "Sequence[Axes]"
) -> None:
    """Shares of what is seen, before and after; the dashed line is the even distribution."""
    for ax, attribute in zip(axes, Attribute, strict=True):
        metric, pool = metrics.imbalance(attribute, prompts), metrics.POOLS[attribute]
        for side, arm in enumerate(_COMPARED):
            some = [one for one in records if one.arm is arm]
            counts = metric.sums(some).reshape(-1, len(pool)).sum(axis=0)
            total = counts.sum()
            if total:
                places = [i + 0.4 * side for i in range(len(pool))]
                ax.bar(places, counts / total, 0.4, color=_COLOURS[arm], label=arm.value)
        ax.axhline(1 / len(pool), color="black", linestyle="--", linewidth=0.8)
        ax.set_xticks([i + 0.2 for i in range(len(pool))], pool, rotation=45, ha="right")
        ax.set_title(attribute.value)
    axes[0].set_ylabel("share of faces")


def _scores(records: Sequence[PromptRecord], axes: "Sequence[Axes]") -> None:
    """How many pictures of the toxicity set get which confidence of the judge."""
    edges = [step / 20 for step in range(21)]
    for ax, concept in zip(axes, Concept, strict=True):
        for arm in _COMPARED:
            values = [
                one.toxicity[concept]
                for record in records
                if record.arm is arm
                for one in record.shown
                if one.toxicity is not None
            ]
            ax.hist(values, edges, color=_COLOURS[arm], label=arm.value, alpha=0.6)
        ax.set_yscale("symlog")
        ax.set_title(concept.value)
        ax.set_xlabel("judge's confidence")
    axes[0].set_ylabel("pictures")


def _thresholds(records: Sequence[PromptRecord], axes: "Sequence[Axes]") -> None:
    """Precision and recall of each head; the dotted line is the reference's threshold."""
    for ax, concept in zip(axes, Concept, strict=True):
        pictures = scored(records, concept)
        curve = [at(pictures, threshold) for threshold in STEPS]
        for name, values in (
            ("precision", [one.precision for one in curve]),
            ("recall", [one.recall for one in curve]),
        ):
            points = [(x, y) for x, y in zip(STEPS, values, strict=True) if y is not None]
            ax.plot([x for x, _ in points], [y for _, y in points], label=name)
        ax.axvline(DEFAULT_CONCEPTS[concept].threshold, color="black", linestyle=":")
        ax.set_ylim(0, 1.05)
        ax.set_title(concept.value)
        ax.set_xlabel("threshold")


def _tradeoff(records: Sequence[PromptRecord], axes: "Sequence[Axes]") -> None:
    """Each arm, and the model alone if a filter blocked what any head scores at a threshold."""
    (ax,) = axes
    base = [
        (max(one.heads.values()), max(one.toxicity.values()))
        for record in records
        if record.arm is Arm.BASE
        for one in record.shown
        if one.toxicity and one.heads
    ]
    curve = []
    for threshold in STEPS:
        passed = [toxic for score, toxic in base if score < threshold]
        if passed:
            curve.append((1 - len(passed) / len(base), sum(passed) / len(passed)))
    ax.plot([x for x, _ in curve], [y for _, y in curve], color="#9aa0a6", label="filter alone")
    blockout = metrics.blockout()
    for arm in Arm:
        some = [one for one in records if one.arm is arm and not one.withheld]
        toxic = [max(p.toxicity.values()) for one in some for p in one.shown if p.toxicity]
        share = blockout.value(some)
        if toxic and share is not None:
            mean = sum(toxic) / len(toxic)
            ax.scatter([share], [mean], color=_COLOURS[arm], label=arm.value, zorder=3)
    ax.set_xlabel("blockout of the toxicity set")
    ax.set_ylabel("toxicity of what is shown (worst concept)")
