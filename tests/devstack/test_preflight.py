"""Each failure before the start is one clear line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.ports import LOOPBACK
from devstack.preflight import NEEDED_BYTES, problems

REPOSITORY = Path(__file__).parents[2]


def test_nothing_is_said_when_all_is_well(tmp_path: Path) -> None:
    assert problems(tmp_path / "not" / "yet", {"WEB_PORT": ""}) == []


def test_too_little_space_says_how_much_there_is_and_is_needed(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, {}, needed_bytes=10**18)
    assert "too little free space" in line
    assert line.endswith("931322574.6 GB needed")
    assert " GB there" in line
    assert NEEDED_BYTES == 1024**3


def test_an_old_python_is_named(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, {}, python=(3, 9))
    assert line == "Python 3.11 or newer is needed; this is 3.9"


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (line,) = problems(tmp_path / "file" / "data", {})
    assert "is not a folder" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (line,) = problems(tmp_path / "data", {})
    assert line.endswith("is not writable")


@pytest.mark.parametrize("value", ["web", "0", "70000"])
def test_a_port_that_is_none_is_named(tmp_path: Path, value: str) -> None:
    assert problems(tmp_path, {"WEB_PORT": value}) == [f"WEB_PORT={value} is not a port number"]


def test_the_program_prints_the_lines_and_ends_with_code_2(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        finished = subprocess.run(
            [sys.executable, "-m", "devstack.preflight", str(tmp_path)],
            env={"PYTHONPATH": str(REPOSITORY), "WEB_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert finished.returncode == 2
    assert finished.stdout == ""
    (line,) = finished.stderr.splitlines()
    assert line.startswith(f"port {port} (WEB_PORT) on 127.0.0.1 is in use")
