"""How one service of the stack is started, watched until it answers, and stopped."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from devstack.errors import Interrupted, PortInUse, StackError, log_tail, with_log
from devstack.ports import LOOPBACK, port_is_free
from devstack.spawn import Command, spawn, stop_process

POLL_SECONDS = 0.03
LOG_KEPT_BYTES = 5_000_000


class NotReady(Exception):
    """The service does not answer yet; the text says what was seen."""


class Service(ABC):
    """One server process with its data and its log under the root.

    Contract: `prepare()` brings the data folder into being and returns the command;
    `check()` returns once the service does real work and raises `NotReady` until then;
    `ports` are those the command will listen on.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    # When the data is of no more use.
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL
    start_timeout: float = 60.0
    stop_grace: float = 15.0

    def __init__(self, root: Path, abort: threading.Event | None = None) -> None:
        self.root = root
        self.log = root / "logs" / f"{self.name}.log"
        self._abort = abort or threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock_fd: int | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        return ()

    @abstractmethod
    def prepare(self) -> Command: ...

    @abstractmethod
    def check(self) -> None: ...

    def before_stop(self) -> None:  # noqa: B027 - most servers may be stopped at any time
        """Wait until the server can be asked to stop."""

    def after_stop(self) -> None:  # noqa: B027 - most servers leave nothing
        """Remove what the server leaves outside its data folder."""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self) -> None:
        """Start the server and return once it answers; nothing to do if it runs.

        Raises:
            StackError: it did not start; the text says why in its first line.
        """
        if self.pid is not None:
            return
        self.stop()  # Let go of what a server that died by itself still held.
        try:
            self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rotate_log()
            self._end_leftover()
            command = self.prepare()
            for port in self.ports:
                if not port_is_free(port):
                    raise PortInUse(
                        f"{self.name}: port {port} on {LOOPBACK} is in use by another process"
                    )
            assert self._lock_fd is not None
            self._process = spawn(command, self.log, keep_fds=[self._lock_fd])
            os.ftruncate(self._lock_fd, 0)
            os.pwrite(self._lock_fd, f"{self._process.pid}\n".encode(), 0)
            self._wait_until_ready()
        except OSError as error:
            self.stop()
            raise StackError(f"{self.name}: {describe_os_error(error)}") from None
        except BaseException:
            self.stop(kill=True)
            raise

    def stop(self, kill: bool = False) -> None:
        """Stop the server if this object started it. Stopping twice does no harm."""
        if not kill and self.pid is not None:
            self.before_stop()
        process, self._process = self._process, None
        if process is not None:
            # One that died by itself is left alone: its number may be somebody else's by now.
            if process.poll() is None:
                wanted = self.kill_signal if kill else self.stop_signal
                stop_process(process, wanted, self.stop_grace)
            self.after_stop()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self.start_timeout
        while True:
            if self._abort.is_set():
                raise Interrupted(f"{self.name}: start interrupted")
            if self._process.poll() is not None:
                raise self._start_failure(f"ended with code {self._process.returncode}")
            try:
                self.check()
                return
            except NotReady as reason:
                if time.monotonic() > deadline:
                    raise self._start_failure(
                        f"not ready after {self.start_timeout:.0f} s ({reason})"
                    ) from None
            time.sleep(POLL_SECONDS)

    def _start_failure(self, what: str) -> StackError:
        said = "\n".join(log_tail(self.log, 40)).lower()
        if "no space left on device" in said or "disk full" in said:
            return StackError(f"{self.name}: disk full at {self.root} (log: {self.log})")
        if "address already in use" in said or "is not available on" in said:
            return PortInUse(f"{self.name}: one of its ports is in use (log: {self.log})")
        return StackError(with_log(f"{self.name} did not start: {what}", self.log))

    def _rotate_log(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_KEPT_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))

    def _end_leftover(self) -> None:
        """Take the service's lock, ending a server that a killed stack left behind.

        The lock belongs to the open file that the server and all its children inherit, so it is
        free exactly when none of them lives, whatever became of the process id.
        """
        folder = self.root / "run"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(folder / f"{self.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock_fd = fd
        asked = time.monotonic()
        sent: signal.Signals | None = None
        while not _try_lock(fd):
            waited = time.monotonic() - asked
            if waited > 2 * self.stop_grace:
                raise StackError(f"{self.name}: an earlier server of {self.root} does not stop")
            wanted = self.stop_signal if waited < self.stop_grace else signal.SIGKILL
            if sent is not wanted:
                sent = wanted
                with contextlib.suppress(ValueError, ProcessLookupError):
                    os.kill(int(os.pread(fd, 20, 0) or b"x"), wanted)
            time.sleep(0.05)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def describe_os_error(error: OSError) -> str:
    """One line for the failures of a disk that people can do something about."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"disk full{where}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"permission denied{where}"
    if error.errno == errno.EROFS:
        return f"read-only file system{where}"
    return f"{error.strerror or error}{where}"
