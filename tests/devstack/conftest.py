"""Fixtures of the service stack's own tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.stack import Stack

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack for the tests that leave it running."""
    with Stack.temporary() as running:
        yield running


@pytest.fixture
def run_script(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code in a process of its own, and return it once it printed a line."""
    started: list[subprocess.Popen[str]] = []

    def run(code: str, *args: str) -> subprocess.Popen[str]:
        script = tmp_path / f"script-{len(started)}.py"
        script.write_text(textwrap.dedent(code))
        process = subprocess.Popen(
            [sys.executable, str(script), *args],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not count."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def gone() -> Callable[..., bool]:
    """Whether all of the processes end within the time."""

    def check(*pids: int, within: float = 10.0) -> bool:
        deadline = time.monotonic() + within
        while any(alive(pid) for pid in pids):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    return check


@pytest.fixture
def tmp_path_traversable() -> Iterator[Path]:
    """A new folder that the database's system user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="ethical-lens-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
