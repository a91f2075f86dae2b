"""The web process itself, for what a test client cannot show: waiting, streams, threads."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from django.db import connection

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from devstack.application import Application, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor
from waiting import wait_until


@dataclass(frozen=True)
class Web:
    """A running web process: its address, and the process that serves."""

    url: str
    process: psutil.Process

    def key(self, tenant: Tenant, *scopes: Scope) -> dict[str, str]:
        """The headers of a new key, with all scopes or those named."""
        _, key = api_key_create(tenant=tenant, name="test", scopes=scopes or tuple(Scope))
        return {"Authorization": f"Bearer {key}"}

    def client(self, tenant: Tenant, *scopes: Scope) -> httpx.Client:
        """A client with a new key."""
        return httpx.Client(base_url=self.url, headers=self.key(tenant, *scopes), timeout=90)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def database_connections(self) -> int:
        """How many of the database's connections are of this process."""
        ports = [c.laddr.port for c in self.process.net_connections() if c.status == "ESTABLISHED"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY(%s)", [ports]
            )
            return int(cursor.fetchone()[0])


@contextmanager
def web_processes() -> Iterator[Callable[..., Web]]:
    """Starts web processes, each with an environment of its own, under one supervisor."""
    logs = Path(tempfile.mkdtemp(prefix="ethical-lens-web-"))
    with Supervisor(grace=10, backoff=0.1, longest_backoff=1, most_restarts=2) as supervisor:

        def start(**environment: str) -> Web:
            port = free_port()
            base = application_environment({}, web_port=port, secret_key=os.environ["SECRET_KEY"])
            Application(supervisor, {**base, **environment}, logs).start_web(port)
            main = psutil.Process(supervisor.pid("web"))
            url = f"http://127.0.0.1:{port}"
            wait_until(Web(url, main).answers, f"the web process; see {logs}", 90)
            return Web(url, [main, *main.children(recursive=True)][-1])

        yield start
