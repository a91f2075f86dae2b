"""Batches that do not fit in memory: halved, and the rest goes on in that size."""

import gc
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch

from ethical_lens.generation.errors import OutOfMemory

logger = logging.getLogger(__name__)

Picture = TypeVar("Picture")

OnStep = Callable[[int, int], None]
"""Told of each denoising step, from 1, and of how many there are."""


def run_in_parts(
    parts: Sequence[Sequence[int]],
    run: Callable[[Sequence[int], OnStep | None], Iterable[Picture]],
    on_step: OnStep | None = None,
) -> list[Picture]:
    """What `run` gives for every place in `parts`, by place: those of a part together as far as
    they fit.

    `on_step` is told the steps of one part after another, so that both numbers grow with the
    parts; the step goes back where a part must be run anew. Raises `OutOfMemory` where a single
    place does not fit.
    """
    done: dict[int, Picture] = {}
    waiting, finished = deque(list(part) for part in parts), 0
    largest = max(map(len, parts), default=1)
    while waiting:
        part = waiting.popleft()
        if part[largest:]:
            waiting.appendleft(part[largest:])
        part = part[:largest]
        total = finished + 1 + sum(-(-len(rest) // largest) for rest in waiting)
        try:
            found = run(part, _told(on_step, finished, total))
        except OutOfMemory:
            if len(part) == 1:
                raise
            largest = (len(part) + 1) // 2
            logger.warning("%d pictures do not fit: going on with %d", len(part), largest)
            waiting.appendleft(part)
            continue
        done.update(zip(part, found, strict=True))
        finished += 1
    return [done[place] for place in sorted(done)]


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of torch says so; on the CPU its allocator raises a plain RuntimeError."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "can't allocate memory" in str(error)
    )


def out_of_memory(count: int, width: int, height: int) -> OutOfMemory:
    """The error for `count` pictures (sides in pixels), once all that was held is let go.

    To be called outside the handler of torch's error, whose traceback holds the tensors.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return OutOfMemory(
        f"{count} pictures of {width}x{height} do not fit in memory; ask for smaller ones"
    )


def _told(on_step: OnStep | None, done: int, parts: int) -> OnStep | None:
    if on_step is None:
        return None
    return lambda step, total: on_step(done * total + step, parts * total)
