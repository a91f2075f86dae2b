"""Stop requests by signal: a termination ends blocks in order, and no stop is cut short."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Termination:
    """While installed, SIGTERM raises `SystemExit` so that context managers run.

    A handler that the program set itself is left alone, as are all when this is not the main
    thread, where Python forbids setting one.
    """

    def __init__(self) -> None:
        self._installed = False

    def install(self) -> None:
        if _is_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _raise_exit)
            self._installed = True

    def remove(self) -> None:
        if self._installed and _is_main_thread():
            if signal.getsignal(signal.SIGTERM) is _raise_exit:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._installed = False


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Hold back SIGINT and SIGTERM while things are stopped; the event tells that one came."""
    hurry = threading.Event()
    if not _is_main_thread():
        yield hurry
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        hurry.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield hurry
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
