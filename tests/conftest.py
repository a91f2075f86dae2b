"""One throw-away PostgreSQL, Redis and S3 for the whole run, on real ports, gone afterwards.

`-m "not services"` runs without them. Rows are never deleted between tests (decisions cannot be):
tests that commit make a tenant of their own.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest

from devstack.stack import Stack

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import Scope, Tenant

ROOT = Path(__file__).resolve().parents[1]
STACK: Stack | None = None

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "LEASE_SECONDS": "5",
    "HEARTBEAT_SECONDS": "1",
    "RECONCILE_SECONDS": "1",
    "SILENT_SECONDS": "5",
    "RETRY_SECONDS": "0.2",
    "MODERATOR_UNDO_SECONDS": "1",
    "STAGE_DEADLINE_SECONDS": "120",
    "WEBHOOK_TIMEOUT_SECONDS": "2",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "OUTGOING_PORTS": "1-65535",
    "MODELS": "mini",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}
NO_SERVICES = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_BUCKET": "none",
    "S3_ACCESS_KEY_ID": "none",
    "S3_SECRET_ACCESS_KEY": "none",
}


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before Django reads it, and start the services where wanted."""
    os.environ.update(ENVIRONMENT)
    _start_services(config)
    django.setup()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole folders are marked here, so that no test in them forgets it."""
    for item in items:
        folder = item.path.parent.relative_to(ROOT / "tests").as_posix()
        if folder in {"browser", "integration", "devstack"}:
            item.add_marker(pytest.mark.services)
        if folder in {
            "ethical_lens/image",
            "ethical_lens/generation",
            "ethical_lens/mini",
            "ethical_lens/text/llm/local",
            "ethical_lens/training",
        }:
            item.add_marker(pytest.mark.models)


def _start_services(config: pytest.Config) -> None:
    global STACK
    if config.option.collectonly or "not services" in config.option.markexpr:
        os.environ.update(NO_SERVICES)
        return
    STACK = Stack.temporary()
    STACK.__enter__()
    os.environ.update(STACK.environment)


def pytest_unconfigure(config: pytest.Config) -> None:
    if STACK is not None:
        STACK.__exit__(None, None, None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out, and why: a run that is green has not tried it."""
    left_out: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        left_out.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    if left_out:
        terminalreporter.section("left out")
    for reason, tests in left_out.items():
        terminalreporter.line(f"{reason}:")
        for test in tests:
            terminalreporter.line(f"  {test}")


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The services of this run."""
    assert STACK is not None, "mark the test with @pytest.mark.services"
    return STACK


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: object) -> None:
    """Migrate the throw-away database itself: workers in processes of their own see it too."""
    from django.core.management import call_command

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("migrate", verbosity=0)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: object) -> Iterator[None]:
    """Access to the database without a surrounding transaction: what is written stays."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield


@pytest.fixture
def tenant() -> "Tenant":
    from factories import make_tenant

    return make_tenant()


@pytest.fixture
def client_of() -> "Callable[..., Client]":
    """Makes a client that sends a new key of a tenant, with all scopes or those named."""
    from django.test import Client

    from accounts.models import Scope
    from accounts.services import api_key_create

    def make(tenant: "Tenant", *scopes: "Scope") -> Client:
        _, key = api_key_create(tenant=tenant, name="test", scopes=scopes or tuple(Scope))
        return Client(headers={"Authorization": f"Bearer {key}"})

    return make


@pytest.fixture
def api(client_of: "Callable[..., Client]", tenant: "Tenant") -> "Client":
    """A client of `tenant` with all scopes."""
    return client_of(tenant)
