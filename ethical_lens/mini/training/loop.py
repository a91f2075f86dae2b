"""An optimiser loop that shows its progress and goes on where it was interrupted."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

_SAVE_EVERY_SECONDS = 120.0


@dataclass(frozen=True)
class Schedule:
    """`steps` updates of AdamW; the rate rises over `warmup` of them, then falls as a cosine.

    `ema`: decay of the moving average of the weights; 0 for none.
    """

    steps: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.01
    ema: float = 0.0
    clip: float = 1.0

    def rate_at(self, step: int) -> float:
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    name: str,
    modules: Sequence[nn.Module],
    schedule: Schedule,
    loss_at: Callable[[int], torch.Tensor],
    folder: Path,
) -> None:
    """Train `modules` in place; at the end they hold the averaged weights, where there is one.

    `loss_at(step)` gives the loss (a scalar) of the batch of that step, and draws it from `step`
    alone, so that a run that was interrupted sees the same batches. The state lies in
    `folder/<name>.state.pt` until the caller removes it.
    """
    file = folder / f"{name}.state.pt"
    whole = nn.ModuleList(modules)
    parameters = [parameter for parameter in whole.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters,
        lr=schedule.rate,
        betas=(0.9, 0.99),
        weight_decay=schedule.weight_decay,
        fused=True,
    )
    average = [parameter.detach().clone() for parameter in parameters] if schedule.ema else []
    first = 0
    if file.exists():
        state = torch.load(file, weights_only=True)
        whole.load_state_dict(state["modules"])
        optimiser.load_state_dict(state["optimiser"])
        average, first = state["average"], state["step"]

    def save(step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        torch.save(
            {
                "modules": whole.state_dict(), "optimiser": optimiser.state_dict(),
                "average": average, "step": step,
            },
            partial,
        )  # fmt: skip
        partial.rename(file)

    whole.train()
    saved_at = time.monotonic()
    smooth = 0.0
    progress = tqdm(
        range(first, schedule.steps), desc=name, initial=first, total=schedule.steps, mininterval=5
    )
    for step in progress:
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate_at(step)
        loss = loss_at(step)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"{name}: the loss is not finite at step {step}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, schedule.clip)
        optimiser.step()
        if average:
            decay = min(schedule.ema, (step + 1) / (step + 10))
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - decay)
        smooth = loss.item() if step == first else 0.98 * smooth + 0.02 * loss.item()
        progress.set_postfix(loss=f"{smooth:.4f}", refresh=False)
        if time.monotonic() - saved_at > _SAVE_EVERY_SECONDS:
            save(step + 1)
            saved_at = time.monotonic()
    with torch.no_grad():
        for parameter, value in zip(parameters, average, strict=False):
            parameter.copy_(value)
    save(schedule.steps)
    whole.eval()
