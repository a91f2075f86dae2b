"""Is the process of this container at its work? `python healthy.py web|worker|dispatcher|beat`.

Exits 0 if it is, and 1 with the reason if not. A running process says little, so each check asks
for a trace of its work: an answer, a health row, a query, a message.
"""

import http.client
import os
import socket
import sys
from collections.abc import Callable
from datetime import timedelta

import psycopg
import redis

from config.environment import read_environment

SILENT_SECONDS = 30.0
"""Longer without a trace of work counts as none."""


def web() -> str | None:
    """`/livez` answers, asked as a proxy would ask for an allowed host."""
    environment = read_environment()
    hosts = [host.lstrip(".") for host in environment.allowed_hosts if host != "*"]
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["GRANIAN_PORT"]), timeout=5)
    connection.request(
        "GET",
        "/livez",
        # Where HTTPS is set, a plain request would be redirected.
        headers={"Host": hosts[0] if hosts else "localhost", "X-Forwarded-Proto": "https"},
    )
    status = connection.getresponse().status
    return None if status == 200 else f"/livez answers {status}"


def worker() -> str | None:
    """The heartbeat of this host's worker wrote its row lately, with all its models loaded."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from jobs.models import Worker

    limit = max(SILENT_SECONDS, 3 * settings.ENVIRONMENT.heartbeat_seconds)
    name = f"celery@{socket.gethostname()}:"
    rows = Worker.objects.filter(
        name__startswith=name, seen_at__gte=timezone.now() - timedelta(seconds=limit)
    )
    if not rows.exists():
        return f"no worker {name}… was seen in {limit:g} s"
    return None if rows.filter(ready=True).exists() else "the models could not be loaded"


def dispatcher() -> str | None:
    """It looks for work every second, so PostgreSQL saw a query from this address lately."""
    with psycopg.connect(read_environment().database_url, connect_timeout=5) as connection:
        seen = connection.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE client_addr IS NOT DISTINCT FROM inet_client_addr()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND greatest(query_start, state_change) > now() - make_interval(secs => %s) LIMIT 1",
            [SILENT_SECONDS],
        ).fetchone()
    return None if seen else f"PostgreSQL saw no query from here in {SILENT_SECONDS:g} s"


def beat() -> str | None:
    """It publishes every 15 seconds, so Redis heard from this address lately."""
    environment = read_environment()
    limit = max(SILENT_SECONDS, 3 * environment.reconcile_seconds)
    with redis.Redis.from_url(environment.redis_url, socket_timeout=5) as client:
        own = client.client_info()
        host = own["addr"].rpartition(":")[0]
        idle = [
            int(other["idle"])
            for other in client.client_list()
            if other["addr"].rpartition(":")[0] == host and int(other["id"]) != own["id"]
        ]
    return None if idle and min(idle) <= limit else f"Redis heard nothing from here in {limit:g} s"


CHECKS: dict[str, Callable[[], str | None]] = {
    check.__name__: check for check in (web, worker, dispatcher, beat)
}


def main() -> int:
    if sys.argv[1:] not in [[name] for name in CHECKS]:
        print(f"usage: python healthy.py {'|'.join(CHECKS)}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        problem = CHECKS[sys.argv[1]]()
    except (OSError, http.client.HTTPException, psycopg.Error, redis.RedisError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
