"""What must hold before anything is started; each failure is one line.

`python -m devstack.preflight [FOLDER]` prints the failures and ends with code 2.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.ports import LOOPBACK, port_is_free

EXIT_CODE = 2
PYTHON = (3, 11)
NEEDED_BYTES = 1024**3


def problems(
    root: Path,
    environ: Mapping[str, str],
    *,
    needed_bytes: int = NEEDED_BYTES,
    python: tuple[int, int] = (sys.version_info[0], sys.version_info[1]),
) -> list[str]:
    """One line for everything that would keep the stack from starting; none if it can start."""
    found = [
        _python(python),
        _writable(root),
        _space(root, needed_bytes),
        _port(environ, "WEB_PORT"),
    ]
    return [line for line in found if line]


def require(root: Path, environ: Mapping[str, str]) -> None:
    """End the program with code 2 and the lines on stderr if there are problems."""
    lines = problems(root, environ)
    if lines:
        for line in lines:
            print(line, file=sys.stderr)
        raise SystemExit(EXIT_CODE)


def _python(version: tuple[int, int]) -> str | None:
    if version >= PYTHON:
        return None
    here, needed = (".".join(map(str, pair)) for pair in (version, PYTHON))
    return f"Python {needed} or newer is needed; this is {here}"


def _writable(root: Path) -> str | None:
    folder = _nearest(root)
    if not folder.is_dir():
        return f"the data folder {root} cannot be made: {folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the data folder {root} is not writable"
    return None


def _space(root: Path, needed: int) -> str | None:
    free = shutil.disk_usage(_nearest(root)).free
    if free >= needed:
        return None
    return f"too little free space for data at {root}: {_size(free)} there, {_size(needed)} needed"


def _port(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name)
    if not value:
        return None
    if not value.isdecimal() or not 0 < int(value) < 65_536:
        return f"{name}={value} is not a port number"
    if not port_is_free(int(value)):
        return f"port {value} ({name}) on {LOOPBACK} is in use or not allowed: choose another one"
    return None


def _nearest(path: Path) -> Path:
    """The path, or the closest of its parents that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GB" if count >= 1024**3 / 10 else f"{count / 1024**2:.0f} MB"


if __name__ == "__main__":
    require(Path(sys.argv[1] if len(sys.argv) > 1 else ".local"), os.environ)
