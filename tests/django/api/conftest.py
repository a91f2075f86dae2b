"""A web process. pytest may read this file before Django is set up, so models are imported late."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from devstack.application import Application, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor

if TYPE_CHECKING:
    from live_web import Web


@pytest.fixture(scope="module")
def start_web(django_db_setup: None) -> Iterator[Callable[..., Web]]:
    """Starts a web process with an environment of its own, under a supervisor."""
    from live_web import Web
    from waiting import wait_until

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


@pytest.fixture(scope="module")
def web(start_web: Callable[..., Web]) -> Web:
    """One with a pool of four database connections."""
    return start_web(DATABASE_POOL_SIZE="4")


@pytest.fixture
def later() -> Iterator[Callable[..., Future[Any]]]:
    """Runs a call in a thread of its own."""
    with ThreadPoolExecutor(128) as pool:
        yield pool.submit
