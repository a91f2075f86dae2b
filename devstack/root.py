"""The data folder of a stack: where it may lie, its lock and its secrets."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.errors import StackError
from devstack.object_store import ADMIN_GRPC_ABOVE, LISTENERS
from devstack.paths import own_folder, write_private
from devstack.ports import free_port, port_is_free
from devstack.spawn import Account

OTHER_PLACE = Path("/var/tmp")  # noqa: S108 - a folder of our own in it, owner checked
TEMPORARY_PREFIX = "ethical-lens-tmp-"
SETTINGS_FILE = "stack.json"
LOCK_FILE = "stack.lock"


@dataclass(frozen=True)
class Settings:
    """Ports and secrets of a stack; kept, so that addresses stay the same from day to day."""

    redis_port: int
    redis_password: str
    s3_access_key: str
    s3_secret_key: str
    s3_listeners: dict[str, int]

    @classmethod
    def fresh(cls) -> Settings:
        return cls(
            redis_port=free_port(),
            redis_password=secrets.token_urlsafe(24),
            s3_access_key=secrets.token_hex(10),
            s3_secret_key=secrets.token_hex(20),
            s3_listeners={name: free_port(_twin(name)) for name in LISTENERS},
        )

    def with_free_ports(self) -> Settings:
        """The same secrets; another port wherever somebody else listens by now."""
        return Settings(
            redis_port=_still_free(self.redis_port),
            redis_password=self.redis_password,
            s3_access_key=self.s3_access_key,
            s3_secret_key=self.s3_secret_key,
            s3_listeners={
                name: _still_free(self.s3_listeners.get(name), _twin(name)) for name in LISTENERS
            },
        )

    def save(self, root: Path) -> None:
        write_private(root / SETTINGS_FILE, json.dumps(asdict(self), indent=2))


def load_settings(root: Path) -> Settings:
    """The settings kept under the root, or new ones."""
    file = root / SETTINGS_FILE
    try:
        return Settings(**json.loads(file.read_text()))
    except FileNotFoundError:
        return Settings.fresh()
    except (ValueError, TypeError):
        raise StackError(f"{file} is damaged: remove it, new ports and keys are made") from None


def _twin(listener: str) -> int:
    return ADMIN_GRPC_ABOVE if listener == "admin.port" else 0


def _still_free(port: int | None, twin: int = 0) -> int:
    if port is not None and port_is_free(port) and port_is_free(port + twin):
        return port
    return free_port(twin)


@dataclass(frozen=True)
class Place:
    """Where the data goes, and why not where it was asked for."""

    path: Path
    moved_because: str | None = None


def choose_place(wanted: Path, account: Account | None) -> Place:
    """The wanted folder if the database can work in it, else one of our own in /var/tmp."""
    wanted = make_folder(wanted)
    reason = why_unusable(wanted, account)
    if reason is None:
        return Place(wanted)
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:10]
    other = own_folder(OTHER_PLACE / f"ethical-lens-{digest}", mode=0o755)
    also = why_unusable(other, account)
    if also is not None:
        raise StackError(f"no usable data folder: {reason}; {also}")
    return Place(other, moved_because=reason)


def make_folder(path: Path) -> Path:
    """Create the folder and its parents; the absolute path without links."""
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return path.resolve()
    except OSError as error:
        raise StackError(f"cannot create the data folder {path}: {error.strerror}") from None


def why_unusable(folder: Path, account: Account | None) -> str | None:
    """Why PostgreSQL could not keep its data here, found by trying; None if it can."""
    try:
        probe = Path(tempfile.mkdtemp(prefix=".probe-", dir=folder))
    except OSError as error:
        raise StackError(f"cannot write in the data folder {folder}: {error.strerror}") from None
    try:
        if account is None:
            probe.chmod(0o700)
            uid = os.geteuid()
        else:
            uid = account.uid
            os.chown(probe, account.uid, account.gid)
            tried = subprocess.run(
                ["/bin/sh", "-c", 'cd "$1" && : > file', "sh", str(probe)],
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            )
            if tried.returncode != 0:
                return f"the system user {account.name} cannot enter {folder}"
        status = probe.stat()
        if status.st_mode & 0o777 != 0o700 or status.st_uid != uid:
            return f"the file system of {folder} does not keep owners and permissions"
    except OSError as error:
        return f"the file system of {folder} refuses a change of owner ({error.strerror})"
    finally:
        shutil.rmtree(probe, ignore_errors=True)
    return None


class RootLock:
    """Held while a stack runs, so that no second one touches the same data."""

    def __init__(self, root: Path) -> None:
        self._file = root / LOCK_FILE
        self._fd: int | None = None

    def acquire(self) -> None:
        fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise StackError(
                f"another stack is running on {self._file.parent} (process {holder}): "
                "stop it first, or use another data folder"
            ) from None
        self._fd = fd
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def make_temporary_root() -> Path:
    """A new folder that any system user may enter; sweeps those of killed test runs."""
    base = Path("/tmp")  # noqa: S108 - short enough for a socket, and mkdtemp makes it ours
    _sweep(base)
    root = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=base)).resolve()
    root.chmod(0o755)
    return root


def _sweep(base: Path) -> None:
    for folder in base.glob(f"{TEMPORARY_PREFIX}*"):
        try:
            status = folder.lstat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < 3600:
                continue
            lock = RootLock(folder)
            lock.acquire()
        except (OSError, StackError):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
