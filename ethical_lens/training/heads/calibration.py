"""Scores that are probabilities: Platt scaling, folded into the head's last layer.

A head is trained on as many yes as no, so its score is too high where yes is rare. A line through
the logits, sigmoid(scale * logit + shift), is fitted on the validation part (Platt 1999, with his
smoothed targets, which keep it finite where the answers separate). The last layer is linear, so it
takes the line in: the file keeps its shape, and whoever loads the head gets calibrated scores.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Calibration:
    """A line for logits. `scale` is above 0, so that the order of pictures stays."""

    scale: float = 1.0
    shift: float = 0.0

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        return self.scale * logits + self.shift

    def folded(self, head: nn.Sequential) -> nn.Sequential:
        """A copy of `head` whose logits are on the line."""
        calibrated = copy.deepcopy(head)
        last = calibrated[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight.mul_(self.scale)
            last.bias.mul_(self.scale).add_(self.shift)
        return calibrated


def platt(logits: torch.Tensor, labels: torch.Tensor) -> Calibration | None:
    """The line for `logits` (n,) and `labels` (n,), boolean; None where it would fall.

    Then the head's answers are no better than chance on these pictures, and turning them round
    would be no calibration.
    """
    logits = logits.detach().double()
    yes, no = int(labels.sum()), int((~labels).sum())
    high, low = (yes + 1) / (yes + 2), 1 / (no + 2)
    targets = torch.where(labels, high, low).double()
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([line], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = functional.binary_cross_entropy_with_logits(line[0] * logits + line[1], targets)
        value.backward()
        return value

    optimiser.step(loss)
    scale, shift = line.detach().tolist()
    return Calibration(scale, shift) if scale > 0 else None
