"""Pages for everybody: axe finds nothing serious, nothing is cut in small or enlarged windows."""

import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.pages import IN_THE_DARK, PAGES, Shown
from browsing import Desk

WINDOWS = [("narrow", 375, 740), ("zoomed", 640, 400)]
"""375 px wide; and 1280 x 800 px at 200 %, which is half of it in the pixels of a page."""
AXE = Path(__file__).with_name("javascript")
CUT = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const {overflowX, position} = getComputedStyle(at);
      if (["auto", "scroll", "hidden", "clip"].includes(overflowX)) return true;
      if (position === "fixed") return true;
    }
    return false;
  };
  const cut = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    const seen = element.checkVisibility({visibilityProperty: true}) && box.width > 1;
    return seen && box.right > width + 1 && !scrolls(element);
  });
  return {
    scrolls: document.documentElement.scrollWidth - width,
    cut: cut.slice(0, 5).map((element) => element.outerHTML.slice(0, 160)),
  };
}"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, of the locked package."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here: axe-core cannot be fetched")
    folder = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(AXE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if "EINTEGRITY" in done.stderr:
        pytest.fail(done.stderr)
    if done.returncode:
        pytest.skip(f"npm cannot install axe-core here: {done.stderr[-300:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[Any, Any]]:
    """A row of every model, seen by other processes too."""
    from admin_rows import row_of_every_model
    from jobs.models import Outbox, Worker
    from review_cases import make_user

    with django_db_blocker.unblock():
        made = row_of_every_model(make_user(is_superuser=True))
        yield made
        # What other tests would stumble over; the rest is record.
        for model in (Worker, Outbox):
            model.objects.filter(pk=made[model].pk).delete()


def serious(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    violations = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:150]} {node['failureSummary'][:300]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"][:4]
    ]


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_is_for_everybody(
    shown: Shown, desk: Callable[..., Desk], rows: dict[Any, Any], axe: str
) -> None:
    from accounts.models import User

    window = desk(rows[User])
    page = window.page
    page.goto(shown.address(rows), wait_until="load")
    window.screenshot(f"page-{shown.name}")
    assert serious(page, axe) == []
    for name, width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        window.screenshot(f"{name}-{shown.name}")
        found = page.evaluate(CUT)
        assert (found["scrolls"] <= 0, found["cut"]) == (True, []), (name, found)


@pytest.mark.parametrize(
    "shown", [shown for shown in PAGES if shown.name in IN_THE_DARK], ids=lambda shown: shown.name
)
def test_a_page_is_for_everybody_in_the_dark(
    shown: Shown, desk: Callable[..., Desk], rows: dict[Any, Any], axe: str
) -> None:
    from accounts.models import User

    window = desk(rows[User], color_scheme="dark")
    window.page.goto(shown.address(rows), wait_until="load")
    expect(window.page.locator("html.dark")).to_have_count(1)
    window.screenshot(f"dark-{shown.name}")
    assert serious(window.page, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_item_in_hand_is_for_everybody(scheme: str, desk: Callable[..., Desk], axe: str) -> None:
    from desk.taking import item_open
    from ethical_lens.results import PictureAction
    from review_cases import judged_job, make_user

    user = make_user(group="Leads")
    job = judged_job(*[PictureAction.REVIEW] * 2, pdq=secrets.token_bytes(32))
    item = job.review_items.all()[0]
    item_open(item_id=item.pk, user=user)
    window = desk(user, color_scheme=scheme)
    page = window.page
    page.goto(f"/admin/review/items/{item.pk}/", wait_until="load")
    page.locator("#desk-repaint summary").click()
    window.screenshot(f"held-{scheme}")
    assert serious(page, axe) == []
    for name, width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(CUT)
        assert (found["scrolls"] <= 0, found["cut"]) == (True, []), (name, found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_came_of_a_trial_is_for_everybody(
    scheme: str, desk: Callable[..., Desk], axe: str
) -> None:
    from ethical_lens.results import PictureAction
    from playground.trials import trial_start
    from review_cases import judge, make_user, paint

    user = make_user(group="Playground")
    trial = trial_start(user=user, prompt="a doctor in an office", count=1, seed=7)
    judge(paint(trial.as_written), PictureAction.BLOCK)
    judge(paint(trial.aligned), PictureAction.RELEASE)
    window = desk(user, color_scheme=scheme)
    page = window.page
    page.goto(f"/playground/{trial.pk}/", wait_until="load")
    window.screenshot(f"trial-{scheme}")
    assert serious(page, axe) == []
    for name, width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(CUT)
        assert (found["scrolls"] <= 0, found["cut"]) == (True, []), (name, found)


def test_people_sign_in_without_hindrance(desk: Callable[..., Desk], axe: str) -> None:
    window = desk()
    window.page.goto("/admin/login/")
    assert serious(window.page, axe) == []
    window.page.set_viewport_size({"width": 375, "height": 740})
    assert window.page.evaluate(CUT) == {"scrolls": 0, "cut": []}


def test_the_page_of_the_api_is_for_everybody_under_its_policy(
    desk: Callable[..., Desk], axe: str
) -> None:
    window = desk()
    window.page.goto("/api/v1/docs")
    window.page.locator(".opblock").first.wait_for()
    window.screenshot("page-api", whole=False)
    assert window.page.locator("html").get_attribute("lang") == "en"
    assert serious(window.page, axe) == []
