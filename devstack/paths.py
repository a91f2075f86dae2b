"""Folders and files that nobody else may read or swap, and paths into installed wheels."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import stat
from pathlib import Path

from devstack.errors import StackError


def private_folder(path: Path) -> Path:
    """Create the folder if missing, for its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def own_folder(path: Path, *, mode: int, owner: int | None = None) -> Path:
    """A folder with a known name in a place where everybody may create folders.

    Raises:
        StackError: somebody else was there first.
    """
    path.mkdir(mode=mode, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), owner}:
        raise StackError(f"{path} belongs to somebody else: remove it or choose another folder")
    path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace the file as a whole; only its owner can read it."""
    draft = path.with_name(path.name + ".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def child_environment(home: Path) -> dict[str, str]:
    """A clean environment: no proxy, key or locale of the caller reaches a service."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"the package {name} is not installed in this environment")
    return Path(spec.submodule_search_locations[0])


def package_program(package: str, program: str) -> Path:
    """A program that a package put beside the interpreter's scripts."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        raise StackError(f"the package {package} is not installed in this environment") from None
    for file in files:
        if file.name == program:
            return Path(str(file.locate())).resolve()
    raise StackError(f"the package {package} carries no {program} for this system")
