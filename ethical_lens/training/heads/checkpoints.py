"""The head at the step that does best on the validation part."""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from ethical_lens.image.heads import new_head
from ethical_lens.training.heads.features import Rows
from ethical_lens.training.heads.fitting import HeadTraining, fit_head

LOOKS = 60
"""How often a training is looked at."""


@dataclass(frozen=True)
class Look:
    """`training`: mean loss since the last look, with dropout; `validation`: loss there, where
    both answers weigh the same as in training."""

    step: int
    training: float
    validation: float


@dataclass(frozen=True)
class Checkpoint:
    """A head before calibration, at the `step` with the lowest validation loss of `looks`."""

    head: nn.Sequential
    step: int
    looks: tuple[Look, ...]


def best_checkpoint(
    train: Rows, validation: Rows, *, settings: HeadTraining, name: str
) -> Checkpoint:
    """Train on the centre views of `train`; `validation` only chooses the step.

    Raises `ValueError` where either lacks an answer.
    """
    watch = _Watch(validation)
    every = max(1, settings.steps // LOOKS)
    fit_head(train.centres, train.labels, settings=settings, name=name, watch=watch, every=every)
    best = min(watch.looks, key=lambda look: look.validation)
    with torch.random.fork_rng(devices=[]):
        head = new_head(train.views.shape[1])
    head.load_state_dict(watch.state)
    return Checkpoint(head.eval().requires_grad_(False), best.step, tuple(watch.looks))


def balanced_loss(rows: Rows, head: nn.Sequential) -> float:
    """Cross-entropy, the mean of the means over both answers. Sets the head to evaluation mode."""
    logits = rows.logits(head)
    losses = functional.binary_cross_entropy_with_logits(
        logits, rows.labels.double(), reduction="none"
    )
    return float((losses[rows.labels].mean() + losses[~rows.labels].mean()) / 2)


@dataclass
class _Watch:
    validation: Rows
    looks: list[Look] = field(default_factory=list)
    state: dict[str, torch.Tensor] = field(default_factory=dict)

    def __call__(self, step: int, head: nn.Sequential, training: float) -> None:
        loss = balanced_loss(self.validation, head)
        if not self.looks or loss < min(look.validation for look in self.looks):
            self.state = {key: value.clone() for key, value in head.state_dict().items()}
        self.looks.append(Look(step, training, loss))
