"""Stops asking a server that does not answer, and tries it again later."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from ethical_lens.text.llm.errors import CircuitOpen, LlmUnavailable


class CircuitBreaker:
    """Opens after `failures` failed calls in a row; every `seconds` one call is let through.

    If that one succeeds the circuit is closed, else it stays open (M. Nygard, *Release It!*,
    "Circuit Breaker"). Any number of threads may use it. `clock` gives seconds and never goes back.
    """

    def __init__(
        self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._next_trial = 0.0
        self._lock = Lock()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Run a call inside; `LlmUnavailable` counts as its failure, other errors as neither.

        Raises `CircuitOpen` instead of running it while the circuit is open.
        """
        self._admit()
        try:
            yield
        except LlmUnavailable:
            with self._lock:
                self._failures += 1
                self._next_trial = self._clock() + self._seconds
            raise
        with self._lock:
            self._failures = 0

    def _admit(self) -> None:
        with self._lock:
            if self._failures < self._limit:
                return
            now = self._clock()
            if now < self._next_trial:
                raise CircuitOpen(
                    f"the LLM failed {self._failures} times in a row and is not asked for "
                    f"{self._next_trial - now:.0f} s"
                )
            self._next_trial = now + self._seconds  # one trial; the others keep waiting
