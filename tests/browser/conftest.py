"""Chromium against the live application. Where there is no Chromium these tests are left out, and
the end of the run says so."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, sync_playwright

if TYPE_CHECKING:
    from accounts.models import User
    from browsing import Desk
    from live_web import Web

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")  # while its loop runs, no other test could start one
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: on Debian, apt-get install chromium")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    # Playwright's loop runs in this thread, where Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def web(browser: Browser, django_db_setup: None) -> Iterator["Web"]:
    """The web process, with a minute for undo."""
    from live_web import web_processes

    with web_processes() as start:
        yield start(DATABASE_POOL_SIZE="4", MODERATOR_UNDO_SECONDS="60")


@pytest.fixture
def desk(
    browser: Browser, web: "Web", committed: None, request: pytest.FixtureRequest
) -> Iterator[Callable[..., "Desk"]]:
    """Opens a window for a person, or for nobody. At the end none of its pages may have done what
    the Content-Security-Policy refuses, or have failed in a script."""
    from browsing import desk_open

    opened: list[AbstractContextManager[Any]] = []
    desks: list[Desk] = []

    def open_for(user: "User | None" = None, **options: Any) -> "Desk":
        window = desk_open(browser, web.url, user, **options)
        opened.append(window)
        desks.append(window.__enter__())
        return desks[-1]

    yield open_for
    complaints = [complaint for one in desks for complaint in one.complaints]
    for window in opened:
        window.__exit__(None, None, None)
    assert complaints == []
