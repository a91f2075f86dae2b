"""The curves of a head, as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ethical_lens.plotting import write_figure
from ethical_lens.training.heads.judged import JudgedHead
from ethical_lens.training.heads.measures import curve, reliability
from ethical_lens.training.heads.parts import Part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = {Part.TRAIN: "#9aa0a6", Part.VALIDATION: "#e8710a", Part.TEST: "#1a73e8"}
_MEASURED: Final = (Part.VALIDATION, Part.TEST)


def write_curves(judged: JudgedHead, folder: Path) -> Path:
    """`folder/<concept>.png`: loss, precision against recall, both by threshold, reliability."""

    def draw(axes: "Sequence[Axes]") -> None:
        for panel, ax in zip(
            (_loss, _precision_recall, _thresholds, _reliability), axes, strict=True
        ):
            panel(judged, ax)
            ax.grid(alpha=0.25)
            ax.legend(fontsize="small")

    return write_figure(
        folder / f"{judged.concept.value}.png", 2, 2, draw, title=judged.concept.value
    )


def _loss(judged: JudgedHead, ax: "Axes") -> None:
    looks = judged.checkpoint.looks
    steps = [look.step for look in looks]
    ax.plot(
        steps,
        [look.training for look in looks],
        color=_COLOURS[Part.TRAIN],
        label="train (dropout)",
    )
    ax.plot(
        steps, [look.validation for look in looks], color=_COLOURS[Part.VALIDATION],
        label="validation",
    )  # fmt: skip
    ax.axvline(judged.checkpoint.step, color="black", linestyle=":", label="chosen step")
    ax.set_ylim(bottom=0)
    ax.set_title("loss, both answers weighing the same")
    ax.set_xlabel("step")


def _precision_recall(judged: JudgedHead, ax: "Axes") -> None:
    for part in _MEASURED:
        some, figures = judged.scored[part], judged.figures[part]
        found = curve(some.scores, some.labels)
        ax.step(
            [0, *found.recall], [found.precision[0], *found.precision], where="pre",
            color=_COLOURS[part], label=f"{part}, area {figures.average_precision.value:.3f}",
        )  # fmt: skip
        recall, precision = figures.recall, figures.precision
        if recall and precision and recall.value is not None and precision.value is not None:
            ax.plot([recall.value], [precision.value], "o", color=_COLOURS[part], zorder=3)
    ax.axhline(
        judged.wished, color="black", linestyle="--", linewidth=0.8, label="wished precision"
    )
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.05)
    ax.set_title("precision and recall; dots: at the threshold")
    ax.set_xlabel("recall")
    ax.set_ylabel("precision")


def _thresholds(judged: JudgedHead, ax: "Axes") -> None:
    for part in _MEASURED:
        found = curve(judged.scored[part].scores, judged.scored[part].labels)
        for name, values, style in (
            ("precision", found.precision, "-"),
            ("recall", found.recall, "--"),
        ):
            # Between two scores a threshold gives what the higher one gives.
            ax.step(
                found.thresholds, values, style, where="post", color=_COLOURS[part],
                label=f"{name}, {part}",
            )  # fmt: skip
    if judged.threshold is not None:
        ax.axvline(
            judged.threshold.threshold, color="black", linestyle=":",
            label=f"threshold {judged.threshold.threshold:.3f}",
        )  # fmt: skip
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(0, 1.05)
    ax.set_title("by threshold, on the calibrated score")
    ax.set_xlabel("threshold")


def _reliability(judged: JudgedHead, ax: "Axes") -> None:
    some = judged.scored[Part.TEST]
    ax.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=0.8)
    for name, scores, colour in (
        ("before calibration", some.raw, _COLOURS[Part.TRAIN]),
        ("calibrated", some.scores, _COLOURS[Part.TEST]),
    ):
        bins = reliability(scores, some.labels)
        sizes = [12 + 200 * count / len(scores) for _, _, count in bins]
        means, shares = [mean for mean, _, _ in bins], [share for _, share, _ in bins]
        ax.plot(means, shares, color=colour, linewidth=1, label=name)
        ax.scatter(means, shares, s=np.asarray(sizes), color=colour, alpha=0.6)
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    ax.set_title("reliability, test; larger: more pictures")
    ax.set_xlabel("mean score")
    ax.set_ylabel("share that shows it")
