"""The desk in a real browser: taken, seen, decided and taken back by keys and mouse alone."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from desk.models import Choice, ReviewItem
from ethical_lens.results import PictureAction
from moderation.models import RawPictureView
from review_cases import judged_job, make_user

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
SHOTS = Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else None
Result = TypeVar("Result")


def apart(call: Callable[[], Result]) -> Result:
    """Playwright's thread has an event loop, in which Django's database is not to be used."""

    def run() -> Result:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.fixture
def served(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the pages, with time enough to undo."""
    environment = settings.ENVIRONMENT.model_copy(update={"moderator_undo_seconds": 60.0})
    monkeypatch.setattr(settings, "ENVIRONMENT", environment)
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.fixture
def moderator() -> User:
    def prepare() -> User:
        ReviewItem.objects.filter(closed_at=None).update(
            closed_at=timezone.now(), holder=None, held_until=None, settles_at=None
        )
        judged_job(PictureAction.REVIEW, PictureAction.REVIEW, PictureAction.REVIEW)
        return make_user(group="Moderators")

    return apart(prepare)


@pytest.fixture
def page(served: str, moderator: User) -> Iterator[Any]:
    def sign_in() -> str:
        client = Client()
        client.force_login(moderator, backend=settings.AUTHENTICATION_BACKENDS[-1])
        return client.cookies["sessionid"].value

    key = apart(sign_in)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.context.add_cookies([{"name": "sessionid", "value": key, "url": served}])
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(f"{served}/admin/review/")
        yield page
        browser.close()


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def press(page: Any, key: str) -> None:
    """A key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def choices(user: User) -> list[tuple[str, bool]]:
    return apart(
        lambda: [
            (choice.verdict, choice.undone_at is not None)
            for choice in Choice.objects.filter(user=user)
        ]
    )


def looks(user: User) -> int:
    return apart(lambda: RawPictureView.objects.filter(user=user).count())


def test_items_are_decided_by_keyboard_and_mouse(page: Any, moderator: User) -> None:
    shot(page, "desk")
    press(page, "n")
    shot(page, "desk-item")

    assert looks(moderator) == 0
    preview = page.locator("#desk-current img").get_attribute("src")
    page.keyboard.down(" ")
    page.wait_for_selector("#desk-current.desk-shown")
    assert page.locator("#desk-current img").get_attribute("src") != preview
    page.keyboard.up(" ")
    page.wait_for_selector("#desk-current:not(.desk-shown)")
    assert page.locator("#desk-current img").get_attribute("src").endswith(preview)
    assert looks(moderator) == 1

    page.keyboard.press("b")
    assert choices(moderator) == [], "no reason, no decision: the field has the focus"
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    press(page, "b")
    assert choices(moderator) == [("block", False)]
    press(page, "z")
    assert choices(moderator) == [("block", True)]

    page.keyboard.press("u")
    box = page.locator("#desk-current").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 140, steps=4)
    page.mouse.up()
    page.keyboard.press("1")
    shot(page, "desk-region")
    press(page, "x")
    assert choices(moderator)[-1] == ("blur", False)

    page.keyboard.press("w")
    page.keyboard.type("Is this the mayor? x b r")
    page.keyboard.press("Escape")
    press(page, "e")
    press(page, "h")
    assert [verdict for verdict, _ in choices(moderator)[-2:]] == ["escalate", "hand_back"]
    assert page.problems == []


def test_the_page_fits_a_telephone(page: Any) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    press(page, "n")
    shot(page, "desk-item-375")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
