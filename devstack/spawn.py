"""Child processes in sessions of their own that do not outlive this process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import StackError

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """The system user a child runs as when this process is root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """One child process: what to run, and under which conditions."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    account: Account | None = None
    umask: int = -1
    # Sent by the kernel when this process dies without stopping its children (Linux).
    death_signal: signal.Signals = signal.SIGTERM


def spawn(command: Command, log: Path, keep_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start the command with its output appended to the log.

    Raises:
        StackError: the program is missing or does not run on this machine.
    """
    program = command.argv[0]
    try:
        return _spawner().run(lambda: _popen(command, log, tuple(keep_fds)))
    except FileNotFoundError as error:
        if Path(program).exists() and error.filename == program:
            raise StackError(
                f"{program} does not run on this system ({_this_system()}): its loader is missing"
            ) from None
        raise StackError(f"program not found: {error.filename or program}") from None
    except PermissionError:
        raise StackError(f"not allowed to execute {program}: check its permissions") from None
    except OSError as error:
        raise StackError(
            f"{program} does not run on this system ({_this_system()}): {error.strerror}"
        ) from None


def stop_process(
    process: subprocess.Popen[bytes],
    stop_signal: signal.Signals = signal.SIGTERM,
    grace: float = 10.0,
    hurry: threading.Event | None = None,
) -> None:
    """Ask the process to end, then kill what is left of its group after `grace` seconds."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        waited = 0.0
        while process.poll() is None and waited < grace and not (hurry and hurry.is_set()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
            waited += 0.1
    kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that still live in its group, and collect it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def _this_system() -> str:
    return f"{platform.system()} {platform.machine()}"


def _popen(command: Command, log: Path, keep_fds: tuple[int, ...]) -> subprocess.Popen[bytes]:
    account = command.account
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command.argv),
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep_fds,
            umask=command.umask,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_die_with_parent(command.death_signal),
        )


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        # After the change of user, which would clear it.
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _abandon(future: Future[subprocess.Popen[bytes]]) -> None:
    if future.exception() is None:
        kill_group(future.result())


class _Spawner:
    """A thread that lives as long as the process and starts every child.

    The kernel's parent-death signal follows the thread that forked: children started from a
    pool thread would be told to end as soon as that pool is shut down.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._work: queue.SimpleQueue[
            tuple[
                Callable[[], subprocess.Popen[bytes]],
                Future[subprocess.Popen[bytes]],
            ]
        ] = queue.SimpleQueue()
        threading.Thread(target=self._loop, name="devstack-spawner", daemon=True).start()

    def run(self, action: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        future: Future[subprocess.Popen[bytes]] = Future()
        self._work.put((action, future))
        try:
            return future.result()
        except (KeyboardInterrupt, SystemExit):
            # Nobody will hold this child: end it as soon as it exists.
            future.add_done_callback(_abandon)
            raise

    def _loop(self) -> None:
        while True:
            action, future = self._work.get()
            try:
                future.set_result(action())
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                future.set_exception(error)


_current: _Spawner | None = None
_guard = threading.Lock()


def _spawner() -> _Spawner:
    global _current
    with _guard:
        # A forked copy of this process has the object but not the thread.
        if _current is None or _current.pid != os.getpid():
            _current = _Spawner()
        return _current
