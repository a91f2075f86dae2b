"""What is finished: heads as trained, with what they were trained on, and what scrutiny loads."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ethical_lens.image.heads import new_head
from ethical_lens.results import Concept
from ethical_lens.sources import SourcesError, head_file
from ethical_lens.training.heads.checkpoints import Checkpoint, Look
from ethical_lens.training.heads.errors import TrainedOtherwise

TRAINED: Final = "trained"
"""The folder of heads before calibration, in float32; their headers hold `inputs` and `looks`."""


def save_checkpoint(
    found: Checkpoint, concept: Concept, folder: Path, inputs: Mapping[str, Any]
) -> None:
    """Write `folder/trained/<concept>.safetensors` whole or not at all."""
    file = _file(folder, concept)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    about = {
        "inputs": json.dumps(inputs, sort_keys=True),
        "step": str(found.step),
        "looks": json.dumps([asdict(look) for look in found.looks]),
    }
    save_file(found.head.state_dict(), part, metadata=about)
    part.replace(file)


def read_checkpoint(
    concept: Concept, folder: Path, inputs: Mapping[str, Any], dimension: int
) -> Checkpoint | None:
    """The finished head of `folder`, None where there is none.

    Raises `TrainedOtherwise` where it was made from other `inputs`, by name, or cannot be read.
    """
    file = _file(folder, concept)
    if not file.exists():
        return None
    try:
        with safe_open(file, "pt") as stored:
            about = stored.metadata()
            state = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
        before = json.loads(about["inputs"])
        with torch.random.fork_rng(devices=[]):
            head = new_head(dimension)
        if before == inputs:
            head.load_state_dict(state)
        looks = tuple(Look(**look) for look in json.loads(about["looks"]))
        step = int(about["step"])
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise TrainedOtherwise(f"{file}: cannot be read ({error}). {_ADVICE}") from error
    if before != inputs:
        names = [
            name for name in sorted({*before, *inputs}) if before.get(name) != inputs.get(name)
        ]
        raise TrainedOtherwise(f"{file}: was trained with other {', '.join(names)}. {_ADVICE}")
    return Checkpoint(head.eval().requires_grad_(False), step, looks)


def load_saved(concept: Concept, folder: Path, dimension: int) -> nn.Sequential:
    """The head that `save_heads` wrote to `folder`, in float32, as scrutiny computes with it."""
    with torch.random.fork_rng(devices=[]):
        head = new_head(dimension)
    head.load_state_dict(load_file(folder / f"{concept.value}.safetensors"))
    return head.eval().requires_grad_(False)


def complete(folder: Path, trained: Mapping[Concept, nn.Sequential], others: Path) -> list[Concept]:
    """Give `folder` the heads of `others` for all concepts but the `trained` ones.

    What is not there is taken away, so that no head of another run stays. Which were copied.
    """
    copied = []
    for concept in Concept:
        if concept in trained:
            (folder / f"{concept.value}.pt").unlink(missing_ok=True)
            continue
        for suffix in ("safetensors", "pt"):
            (folder / f"{concept.value}.{suffix}").unlink(missing_ok=True)
        try:
            file = head_file(others, concept)
        except SourcesError:
            continue
        shutil.copyfile(file, folder / file.name)
        copied.append(concept)
    return copied


def _file(folder: Path, concept: Concept) -> Path:
    return folder / TRAINED / f"{concept.value}.safetensors"


_ADVICE: Final = "Name another folder with --out, or train it again with --again."
