"""A web process. pytest may read this file before Django is set up, so models are imported late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from live_web import Web


@pytest.fixture(scope="module")
def start_web(django_db_setup: None) -> Iterator[Callable[..., Web]]:
    """Starts web processes, each with an environment of its own."""
    from live_web import web_processes

    with web_processes() as start:
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
