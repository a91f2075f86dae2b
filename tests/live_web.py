"""The web process itself, for what a test client cannot show: waiting, streams, threads."""

from dataclasses import dataclass

import httpx
import psutil
from django.db import connection

from accounts.models import Scope, Tenant
from accounts.services import api_key_create


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
