"""A window of Chromium on the pages of people: who sits there, what it complained about, pictures
of what it shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from accounts.models import User

SCREENSHOTS = Path(__file__).resolve().parents[1] / ".local" / "screenshots"


@dataclass
class Desk:
    """One window; `page` is Playwright's."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def screenshot(self, name: str, *, whole: bool = True) -> Path:
        """Keep what is shown, as an artifact of the run."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole)
        return path

    def listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def failed(self, error: Error) -> None:
        self.complaints.append(f"{self.page.url}: {error.message}")


@contextmanager
def desk_open(browser: Browser, url: str, user: User | None, **options: Any) -> Iterator[Desk]:
    """A window of its own (cookies, size), signed in as `user`."""
    size = options.pop("viewport", {"width": 1280, "height": 800})
    context = browser.new_context(base_url=url, viewport=size, **options)
    context.set_default_timeout(20_000)
    if user is not None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    desk = Desk(context.new_page())
    desk.page.on("console", desk.listen)
    desk.page.on("pageerror", desk.failed)
    try:
        yield desk
    finally:
        context.close()
