"""A concept head from features and labels, as the method trains it.

Adam, cross-entropy, batches in which both answers are equally frequent (Cai et al., Patterns 6(3),
2025; rate and batch size of the reference code).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ethical_lens.image.heads import new_head
from ethical_lens.results import Concept

Watch = Callable[[int, nn.Sequential, float], None]
"""Is given the steps done, the head (in training mode) and the mean loss since the last look."""


@dataclass(frozen=True)
class HeadTraining:
    """`steps` updates of `batch` rows. `held_out` is the share of rows `train_head` keeps back."""

    steps: int = 6000
    rate: float = 2e-4
    batch: int = 64
    held_out: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class HeldOut:
    """How a head does on `rows` that it was not trained on; None where nothing was to be counted.

    It is a report: nothing was chosen by it.
    """

    precision: float | None
    recall: float | None
    rows: int


@dataclass(frozen=True)
class TrainedHead:
    head: nn.Sequential
    held_out: HeldOut


def train_head(
    features: torch.Tensor,
    labels: torch.Tensor,
    *,
    threshold: float,
    settings: HeadTraining | None = None,
    name: str = "head",
    weights: torch.Tensor | None = None,
) -> TrainedHead:
    """A head for `features` (n, d), float32 and not normalised, and `labels` (n,), boolean.

    `weights` (n,) say how often a row is trained on, next to the others of its answer; all alike
    unless given. `threshold` (0 to 1) is where the head is to fire; it and the rows kept back are
    used for the report only, in which every row counts once. The same inputs
    give the same head; torch's global generator is left as it was. Raises `ValueError` where the
    shapes differ or an answer has no rows to learn from.
    """
    settings = settings or HeadTraining()
    _must_match(features, labels)
    chance = torch.Generator().manual_seed(settings.seed)
    order = torch.randperm(len(labels), generator=chance)
    kept = round(len(labels) * settings.held_out)
    apart, rows = order[:kept], order[kept:]
    head = fit_head(
        features[rows],
        labels[rows],
        settings=settings,
        name=name,
        chance=chance,
        weights=None if weights is None else weights[rows],
    )
    return TrainedHead(head, _report(head, features[apart], labels[apart], threshold))


def fit_head(
    features: torch.Tensor,
    labels: torch.Tensor,
    *,
    settings: HeadTraining,
    name: str = "head",
    chance: torch.Generator | None = None,
    watch: Watch | None = None,
    every: int = 100,
    weights: torch.Tensor | None = None,
) -> nn.Sequential:
    """The head after all steps, trained on all rows; `watch` looks at it `every` so many.

    Rows are drawn with `weights` (n,), alike unless given, and by `chance`, by a generator of the
    settings' seed unless given. A `watch` may set the head to evaluation mode and must not draw
    from torch's global generator. Raises `ValueError` as `train_head` does.
    """
    _must_match(features, labels)
    chance = chance or torch.Generator().manual_seed(settings.seed)
    if weights is None:
        weights = torch.ones(len(labels))
    groups = [labels.nonzero().squeeze(1), (~labels).nonzero().squeeze(1)]
    if not all(len(group) for group in groups):
        raise ValueError(f"{name}: needs rows with both answers")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(settings.seed)
        head = new_head(features.shape[1]).train()
        optimiser = torch.optim.Adam(head.parameters(), lr=settings.rate)
        half = settings.batch // 2
        wanted = torch.tensor([1.0] * half + [0.0] * half)
        since = list[torch.Tensor]()
        for step in tqdm(range(1, settings.steps + 1), desc=name, mininterval=5):
            chosen = torch.cat(
                [
                    group[weights[group].multinomial(half, replacement=True, generator=chance)]
                    for group in groups
                ]
            )
            logits = head(features[chosen]).squeeze(1)
            loss = functional.binary_cross_entropy_with_logits(logits, wanted)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            if watch is not None:
                since.append(loss.detach())
                if step % every == 0 or step == settings.steps:
                    watch(step, head, float(torch.stack(since).mean()))
                    since.clear()
                    head.train()
    return head.eval().requires_grad_(False)


def save_heads(heads: Mapping[Concept, nn.Sequential], folder: Path) -> None:
    """Write `<concept>.safetensors` in half precision, as `Heads.load` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for concept, head in heads.items():
        halves = {
            key: value.half() if value.is_floating_point() else value
            for key, value in head.state_dict().items()
        }
        save_file(halves, folder / f"{concept.value}.safetensors")


def _must_match(features: torch.Tensor, labels: torch.Tensor) -> None:
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(f"features {tuple(features.shape)} for labels {tuple(labels.shape)}")


def _report(
    head: nn.Sequential, features: torch.Tensor, labels: torch.Tensor, threshold: float
) -> HeldOut:
    with torch.inference_mode():
        fired = torch.sigmoid(head(features)).squeeze(1) >= threshold
    right = int((fired & labels).sum())
    found, there = int(fired.sum()), int(labels.sum())
    return HeldOut(right / found if found else None, right / there if there else None, len(labels))
