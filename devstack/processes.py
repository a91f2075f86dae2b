"""A supervisor for the programs that run on top of the services."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import StackError, with_log
from devstack.ports import free_port
from devstack.signals import Termination, stopping
from devstack.spawn import Command, kill_group, spawn, stop_process

__all__ = ["Supervisor", "free_port"]

POLL_SECONDS = 0.1


@dataclass
class _Member:
    command: Command
    log: Path
    process: subprocess.Popen[bytes]
    restart: bool
    # When it was restarted lately; those older than the window no longer count.
    restarts: list[float] = field(default_factory=list)
    due: float | None = None


class Supervisor:
    """Keeps named child processes running until the block is left.

    A child that exits by itself is started again after a delay that doubles from `backoff` to
    `longest_backoff` seconds. More than `most_restarts` within `window` seconds, or an exit of a
    child started with `restart=False`, is a failure: `check()` and `wait()` raise it, the other
    children go on. Every child leads a session of its own, so Ctrl-C reaches this process alone;
    on Linux a child is told to end if this process is killed.
    """

    def __init__(
        self,
        *,
        grace: float = 10.0,
        backoff: float = 0.5,
        longest_backoff: float = 10.0,
        most_restarts: int = 5,
        window: float = 60.0,
    ) -> None:
        self.grace = grace
        self.backoff = backoff
        self.longest_backoff = longest_backoff
        self.most_restarts = most_restarts
        self.window = window
        self._members: dict[str, _Member] = {}
        self._failures: dict[str, StackError] = {}
        self._guard = threading.RLock()
        self._ended = threading.Event()
        self._failed = threading.Event()
        self._watch: threading.Thread | None = None
        self._termination = Termination()

    def __enter__(self) -> Self:
        self._termination.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()
        self._termination.remove()

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        restart: bool = True,
    ) -> int:
        """Start a child under a name of its own and return its process id.

        Raises:
            StackError: the name is taken, or the program cannot be run.
        """
        command = Command(argv=list(argv), env=dict(env), cwd=cwd)
        with self._guard:
            if name in self._members:
                raise StackError(f"{name} is running already")
            log.parent.mkdir(parents=True, exist_ok=True)
            process = spawn(command, log)
            self._members[name] = _Member(command, log, process, restart)
            self._failures.pop(name, None)
            if self._watch is None:
                self._ended.clear()
                self._watch = threading.Thread(
                    target=self._keep_watch, name="devstack-supervisor", daemon=True
                )
                self._watch.start()
            return process.pid

    @property
    def names(self) -> tuple[str, ...]:
        """The children under supervision, in the order of their start."""
        with self._guard:
            return tuple(self._members)

    def pid(self, name: str) -> int | None:
        """The child's process id; None between an exit and the restart that follows."""
        process = self._member(name).process
        return process.pid if process.poll() is None else None

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the child itself; supervision goes on, so it will be restarted."""
        with self._guard:
            self._member(name).process.send_signal(number)

    def stop(self, name: str, *, hurry: threading.Event | None = None) -> None:
        """Stop one child: SIGTERM, and SIGKILL for its whole group after the grace."""
        with self._guard:
            member = self._members.pop(name, None)
        # While a restart is due there is no process, and its number may be taken again.
        if member is not None and member.due is None:
            stop_process(member.process, signal.SIGTERM, self.grace, hurry)

    def stop_all(self) -> None:
        """Stop all children, the youngest first; a second Ctrl-C kills those that linger."""
        with stopping() as hurry:
            self._ended.set()
            watch, self._watch = self._watch, None
            if watch is not None:
                watch.join()
            for name in reversed(self.names):
                self.stop(name, hurry=hurry)

    def check(self) -> None:
        """Raise the first failure there was, if any."""
        with self._guard:
            for error in self._failures.values():
                raise error

    def wait(self, timeout: float | None = None) -> None:
        """Block until a child fails, which raises, or the time is over, which does not."""
        self._failed.wait(timeout)
        self.check()

    def _member(self, name: str) -> _Member:
        with self._guard:
            if name not in self._members:
                raise StackError(f"{name} is not running under this supervisor")
            return self._members[name]

    def _keep_watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            with self._guard:
                for name, member in list(self._members.items()):
                    if member.process.poll() is not None:
                        self._see_to(name, member)

    def _see_to(self, name: str, member: _Member) -> None:
        now = time.monotonic()
        if member.due is None:
            code = member.process.returncode
            # What it started itself must not work on beside its successor.
            kill_group(member.process)
            member.restarts = [at for at in member.restarts if now - at < self.window]
            if not member.restart or len(member.restarts) >= self.most_restarts:
                times = f" {len(member.restarts) + 1} times in a row" if member.restart else ""
                self._fail(name, with_log(f"{name} {_how(code)}{times}", member.log))
                return
            delay = min(self.backoff * 2 ** len(member.restarts), self.longest_backoff)
            member.due = now + delay
        elif now >= member.due:
            member.due = None
            member.restarts.append(now)
            try:
                member.process = spawn(member.command, member.log)
            except StackError as error:
                self._fail(name, f"{name} could not be restarted: {error}")

    def _fail(self, name: str, message: str) -> None:
        self._failures[name] = StackError(message)
        del self._members[name]
        self._failed.set()


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
