"""How processes share a run: locks of the operating system on files in its folder.

A lock ends with its process, however that ends, so nothing expires and nobody has to be declared
dead: `flock(2)`, on local disks and on network file systems that carry locks.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claimed(file: Path) -> Iterator[bool]:
    """Whether the lock on `file`, which is made, is ours while the block runs. Never waits."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait for the lock on `file`, for what takes moments."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def write_whole(file: Path, text: str) -> None:
    """`file` holds all of `text` or what it held before, also after a crash."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
