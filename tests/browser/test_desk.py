"""The desk as a moderator works at it: with the keyboard, side by side with another."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from browsing import Desk
from desk.models import ReviewItem
from ethical_lens.results import PictureAction
from jobs.models import Job
from moderation.models import RawPictureView
from review_cases import judged_job, make_user


@pytest.fixture
def job(committed: None) -> Job:
    """One with two pictures that wait, and nothing else does."""
    ReviewItem.objects.filter(closed_at=None).update(closed_at=timezone.now())
    return judged_job(PictureAction.REVIEW, PictureAction.REVIEW)


def test_taken_looked_at_decided_and_undone_by_keyboard(
    desk: Callable[..., Desk], job: Job
) -> None:
    moderator = make_user(group="Moderators")
    window = desk(moderator)
    page = window.page
    page.goto("/admin/review/")
    window.screenshot("desk-home")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/items/"))
    window.screenshot("desk-item")
    item = ReviewItem.objects.get(pk=page.url.rstrip("/").split("/")[-1])

    page.keyboard.down("Space")
    expect(page.locator(".desk-shown")).to_be_visible()
    window.screenshot("desk-item-revealed")
    page.keyboard.up("Space")
    expect(page.locator(".desk-shown")).to_have_count(0)
    assert RawPictureView.objects.filter(user=moderator, picture=item.picture).count() == 1

    page.keyboard.press("b")
    expect(page.locator(".desk-missing")).to_be_visible()
    assert not item.choices.exists(), "a reason is required"
    page.keyboard.press("Escape")  # the browser leads into the field that is missing
    page.keyboard.press("3")
    page.keyboard.press("b")
    expect(page.get_by_text("Decided just now")).to_be_visible()
    window.screenshot("desk-decided")
    choice = item.choices.get()
    assert (choice.user, choice.verdict, choice.undone_at) == (moderator, "block", None)
    page.keyboard.press("z")
    expect(page).to_have_url(re.compile(str(item.pk)))
    choice.refresh_from_db()
    assert choice.undone_at is not None


def test_the_space_bar_presses_the_button_that_has_the_focus(
    desk: Callable[..., Desk], job: Job
) -> None:
    moderator = make_user(group="Moderators")
    page = desk(moderator).page
    page.goto("/admin/review/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/items/"))
    item = ReviewItem.objects.get(pk=page.url.rstrip("/").split("/")[-1])
    page.keyboard.press("1")
    page.locator("[data-key=r]").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Decided just now")).to_be_visible()
    assert item.choices.get().verdict == "allow"
    assert not RawPictureView.objects.filter(user=moderator).exists()

    page.locator("[data-reveal]").focus()
    page.keyboard.down("Space")
    expect(page.locator(".desk-shown")).to_be_visible()
    page.keyboard.up("Space")
    expect(page.locator(".desk-shown")).to_have_count(0)
    assert RawPictureView.objects.filter(user=moderator).count() == 1


def test_two_moderators_at_once_never_hold_the_same_item(
    desk: Callable[..., Desk], job: Job
) -> None:
    windows = [desk(make_user(group="Moderators")) for _ in range(2)]
    for window in windows:
        window.page.goto("/admin/review/")
        window.page.keyboard.press("n")
        expect(window.page).to_have_url(re.compile("/items/"))
    first, second = (window.page.url for window in windows)
    assert first != second
    windows[1].page.goto(first)
    expect(windows[1].page.get_by_text("Not in your hands")).to_be_visible()
    assert windows[1].page.locator("#desk-decide").count() == 0
