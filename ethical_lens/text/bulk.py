"""Text scrutiny of many prompts on all cores. Torch-free, as long as the aligners are."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ethical_lens.policy import Policy
from ethical_lens.results import TextVerdict
from ethical_lens.text.aligner import AlignmentError, NotAPrompt, PromptAligner
from ethical_lens.text.choose import load_aligners, scrutinise_with

_CHUNK: Final = 64
_AHEAD: Final = 4


@dataclass(frozen=True)
class NoVerdict:
    """Why a prompt has none. `review`: a person must judge it; else it is no prompt at all."""

    reason: str
    review: bool


def scrutinise_many(
    prompts: Iterable[str], policy: Policy, processes: int | None = None
) -> Iterator[TextVerdict | NoVerdict]:
    """Judge each of `prompts`, in their order, with the aligners of `policy`.

    Reads no more than a few hundred prompts ahead of what it gives, so they may be endless.
    `processes`: one per core unless named. They are spawned, so a script that calls this needs
    `if __name__ == "__main__":`.

    Raises `AlignmentError` for an aligner that does not exist, at once, and where a process dies.
    """
    load_aligners(policy)
    return _in_order(prompts, policy, processes or os.cpu_count() or 1)


def _in_order(
    prompts: Iterable[str], policy: Policy, processes: int
) -> Iterator[TextVerdict | NoVerdict]:
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _Judge.load, (policy,)
    ) as pool:
        waiting: deque[Future[list[TextVerdict | NoVerdict]]] = deque()
        source = iter(prompts)
        try:
            while chunk := list(islice(source, _CHUNK)):
                waiting.append(pool.submit(_judged, chunk))
                if len(waiting) == _AHEAD * processes:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise AlignmentError("a process that judged prompts was killed") from error


class _Judge:
    """The aligners of this process, loaded once when it starts."""

    policy: Policy
    aligners: tuple[PromptAligner, ...]

    @classmethod
    def load(cls, policy: Policy) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this
        cls.policy, cls.aligners = policy, load_aligners(policy)


def _judged(prompts: list[str]) -> list[TextVerdict | NoVerdict]:
    return [_judge(prompt) for prompt in prompts]


def _judge(prompt: str) -> TextVerdict | NoVerdict:
    try:
        return scrutinise_with(_Judge.aligners, prompt, "", _Judge.policy)[0]
    except AlignmentError as error:
        return NoVerdict(str(error), review=not isinstance(error, NotAPrompt))
