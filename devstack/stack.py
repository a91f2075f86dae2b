"""PostgreSQL, Redis and S3 as one context manager."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import Interrupted, PortInUse, StackError
from devstack.object_store import ObjectStore
from devstack.outside import outside_postgres, outside_redis, outside_s3
from devstack.postgres import Postgres, find_account
from devstack.redis_server import RedisServer
from devstack.root import (
    Place,
    RootLock,
    Settings,
    choose_place,
    load_settings,
    make_folder,
    make_temporary_root,
)
from devstack.service import Service, describe_os_error
from devstack.signals import Termination, stopping
from devstack.spawn import Account

ALL = ("postgres", "redis", "s3")
DATABASE = "ethical_lens"
BUCKET = "ethical-lens"
PORT_ATTEMPTS = 3


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Stack:
    """The three services while the block runs, and their addresses in `environment`.

    A service that `environ` names (`DATABASE_URL`, `REDIS_URL`, `S3_ENDPOINT_URL`) is checked and
    used instead of an own one. Leaving the block, by whatever way, stops what was started here
    and nothing else.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        services: Collection[str] = ALL,
        announce: Callable[[str], None] = _say,
    ) -> None:
        self.root = root
        self.environment: dict[str, str] = {}
        self._environ = environ
        self._wanted = tuple(name for name in ALL if name in services)
        self._announce = announce
        self._throw_away = False
        self._services: dict[str, Service] = {}
        self._abort = threading.Event()
        self._lock: RootLock | None = None
        self._termination = Termination()

    @classmethod
    def temporary(
        cls, environ: Mapping[str, str] | None = None, *, services: Collection[str] = ALL
    ) -> Self:
        """A stack on a new folder that is removed at the end; its database skips fsync.

        Ignores the environment of this process unless it is handed in.
        """
        stack = cls(Path(), environ or {}, services=services)
        stack._throw_away = True
        return stack

    def __enter__(self) -> Self:
        self._termination.install()
        try:
            self._start()
        except OSError as error:
            self._stop()
            raise StackError(describe_os_error(error)) from None
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def pid(self, name: str) -> int | None:
        """The process id of one of our own services while it runs."""
        return self._own(name).pid

    def log(self, name: str) -> Path:
        """The log of one of our own services."""
        return self._own(name).log

    def start_postgres(self) -> None:
        self._own("postgres").start()

    def stop_postgres(self) -> None:
        self._own("postgres").stop()

    def restart_postgres(self) -> None:
        self._restart("postgres")

    def start_redis(self) -> None:
        self._own("redis").start()

    def stop_redis(self) -> None:
        self._own("redis").stop()

    def restart_redis(self) -> None:
        self._restart("redis")

    def start_s3(self) -> None:
        self._own("s3").start()

    def stop_s3(self) -> None:
        self._own("s3").stop()

    def restart_s3(self) -> None:
        self._restart("s3")

    def _restart(self, name: str) -> None:
        service = self._own(name)
        service.stop()
        service.start()

    def _own(self, name: str) -> Service:
        if name not in self._services:
            raise StackError(f"{name} was not started by this stack")
        return self._services[name]

    def _start(self) -> None:
        self._abort.clear()
        self.environment = {}
        for name, look in (
            ("postgres", outside_postgres),
            ("redis", outside_redis),
            ("s3", outside_s3),
        ):
            if name in self._wanted:
                self.environment |= look(self._environ) or {}
        own = [name for name in self._wanted if _ADDRESS[name] not in self.environment]
        if not own:
            return
        account = self._settle("postgres" in own)
        for attempt in range(1, PORT_ATTEMPTS + 1):
            settings = load_settings(self.root).with_free_ports()
            settings.save(self.root)
            self._services = self._make_services(own, settings, account)
            try:
                self._start_together()
                break
            except PortInUse:
                # Somebody took a port between our look and the server's start.
                self._stop_services(kill=True)
                self._abort.clear()
                if attempt == PORT_ATTEMPTS:
                    raise
        for service in self._services.values():
            self.environment |= _addresses(service)

    def _settle(self, with_postgres: bool) -> Account | None:
        """Find the data folder and the database's system user, and lock the folder."""
        if self._throw_away:
            self.root = make_temporary_root()
        account: Account | None = None
        place = Place(make_folder(self.root))
        if with_postgres:
            account, created = find_account(place.path / "postgres")
            place = choose_place(place.path, account)
            self._tell(place, account, created)
        self.root = place.path
        self._lock = RootLock(self.root)
        self._lock.acquire()
        return account

    def _tell(self, place: Place, account: Account | None, created: bool) -> None:
        """One line about what is unlike what was asked for, or changed outside the folder."""
        news = []
        if place.moved_because:
            news.append(f"data is kept in {place.path}, because {place.moved_because}")
        if created and account:
            news.append(
                f"created the system user {account.name}, because PostgreSQL does not run as root"
            )
        if news:
            self._announce("; ".join(news))

    def _make_services(
        self, names: Collection[str], settings: Settings, account: Account | None
    ) -> dict[str, Service]:
        made: dict[str, Service] = {}
        if "postgres" in names:
            made["postgres"] = Postgres(
                self.root,
                DATABASE,
                account=account,
                durable=not self._throw_away,
                abort=self._abort,
            )
        if "redis" in names:
            made["redis"] = RedisServer(
                self.root, settings.redis_port, settings.redis_password, self._abort
            )
        if "s3" in names:
            made["s3"] = ObjectStore(
                self.root,
                listeners=settings.s3_listeners,
                access_key=settings.s3_access_key,
                secret_key=settings.s3_secret_key,
                bucket=BUCKET,
                abort=self._abort,
            )
        return made

    def _start_together(self) -> None:
        pool = ThreadPoolExecutor(len(self._services))
        starts = [pool.submit(service.start) for service in self._services.values()]
        try:
            wait(starts, return_when=FIRST_EXCEPTION)
        finally:
            with stopping():
                if any(not start.done() or start.exception() for start in starts):
                    self._abort.set()
                pool.shutdown()
        _raise_first(starts)

    def _stop(self) -> None:
        with stopping():
            self._abort.set()
            self._stop_services(kill=self._throw_away)
            if self._throw_away and self.root != Path():
                shutil.rmtree(self.root, ignore_errors=True)
                self.root = Path()
            if self._lock is not None:
                self._lock.release()
                self._lock = None
            self._termination.remove()

    def _stop_services(self, kill: bool) -> None:
        if self._services:
            with ThreadPoolExecutor(len(self._services)) as pool:
                list(pool.map(lambda service: service.stop(kill), self._services.values()))


_ADDRESS = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "s3": "S3_ENDPOINT_URL"}


def _addresses(service: Service) -> dict[str, str]:
    match service:
        case Postgres():
            return {"DATABASE_URL": service.url}
        case RedisServer():
            return {"REDIS_URL": service.url}
        case ObjectStore():
            return service.environment
    raise TypeError(service.name)


def _raise_first(starts: list[Future[None]]) -> None:
    errors = [error for start in starts if (error := start.exception())]
    # An interrupted start is the consequence of another one's failure.
    errors.sort(key=lambda error: isinstance(error, Interrupted))
    if errors:
        raise errors[0]
