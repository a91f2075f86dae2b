"""A trained head, calibrated, given its threshold, and measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ethical_lens.results import Concept
from ethical_lens.sources import digest_of, head_file
from ethical_lens.training.heads import measures
from ethical_lens.training.heads.calibration import Calibration, platt
from ethical_lens.training.heads.checkpoints import Checkpoint
from ethical_lens.training.heads.features import Rows
from ethical_lens.training.heads.fitting import save_heads
from ethical_lens.training.heads.measures import Labels, Measured, Reached, Scores, Share
from ethical_lens.training.heads.parts import Part
from ethical_lens.training.heads.saved import load_saved


@dataclass(frozen=True)
class Scored:
    """Pictures of a part: `raw` scores before calibration, `scores` of the saved head."""

    raw: Scores
    scores: Scores
    labels: Labels


@dataclass(frozen=True)
class Figures:
    """How good a head is on a part. Shares are None where there is no threshold."""

    pictures: int
    yes: int
    average_precision: Measured
    brier: Measured
    calibration_error: Measured
    calibration_error_before: float
    precision: Share | None
    recall: Share | None
    false_alarms: Share | None


@dataclass(frozen=True)
class JudgedHead:
    """`head` as saved, calibrated unless `calibration` is None.

    `threshold` reaches the `wished` precision on the validation part; None where none does, and
    then `most_precise` says what is reached. `figures` and `scored` are by part; nothing was
    chosen by those of the test part.
    """

    concept: Concept
    head: nn.Sequential
    digest: str
    checkpoint: Checkpoint
    calibration: Calibration | None
    wished: float
    threshold: Reached | None
    most_precise: Reached | None
    figures: dict[Part, Figures]
    scored: dict[Part, Scored]


def judge(
    checkpoint: Checkpoint,
    rows: Mapping[Part, Rows],
    *,
    concept: Concept,
    wished: float,
    folder: Path,
) -> JudgedHead:
    """Calibrate and save the head to `folder`, choose its threshold, measure it.

    Everything is chosen on the validation part, and measured on the head as its file gives it:
    half precision changes scores a little. `wished`: precision, 0 to 1.
    """
    chosen_on = rows[Part.VALIDATION]
    calibration = platt(chosen_on.logits(checkpoint.head), chosen_on.labels)
    line = calibration or Calibration()
    save_heads({concept: line.folded(checkpoint.head)}, folder)
    head = load_saved(concept, folder, chosen_on.views.shape[1])
    scored = {
        part: Scored(_scores(some, checkpoint.head), _scores(some, head), some.labels.numpy())
        for part, some in rows.items()
    }
    seen = scored[Part.VALIDATION]
    threshold = measures.threshold_for(wished, seen.scores, seen.labels)
    return JudgedHead(
        concept=concept,
        head=head,
        digest=digest_of(str(head_file(folder, concept))),
        checkpoint=checkpoint,
        calibration=calibration,
        wished=wished,
        threshold=threshold,
        most_precise=measures.most_precise(seen.scores, seen.labels),
        figures={part: _figures(scored[part], threshold) for part in (Part.VALIDATION, Part.TEST)},
        scored=scored,
    )


def _scores(rows: Rows, head: nn.Sequential) -> Scores:
    return np.asarray(torch.sigmoid(rows.logits(head)).numpy(), dtype=np.float64)


def _figures(found: Scored, threshold: Reached | None) -> Figures:
    scores, labels = found.scores, found.labels
    shares = measures.at(threshold.threshold, scores, labels) if threshold else (None, None, None)
    return Figures(
        len(labels),
        int(labels.sum()),
        measures.measured(measures.average_precision, scores, labels),
        measures.measured(measures.brier, scores, labels),
        measures.measured(measures.calibration_error, scores, labels),
        measures.calibration_error(found.raw, labels),
        *shares,
    )
