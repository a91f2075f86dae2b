"""The desk as a moderator works at it: with the keyboard, side by side with another."""

import re
import secrets
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from browsing import Desk
from desk.models import ReviewItem
from ethical_lens.results import PictureAction
from jobs.models import Job, PictureVersion
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


def test_a_repaint_is_ordered_by_keyboard(desk: Callable[..., Desk], job: Job) -> None:
    page = desk(make_user(group="Moderators")).page
    page.goto("/admin/review/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/items/"))
    item = ReviewItem.objects.get(pk=page.url.rstrip("/").split("/")[-1])
    page.keyboard.press("4")
    page.keyboard.press("p")
    expect(page.locator("#desk-repaint textarea")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("a doctor in a white coat")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Decided just now")).to_be_visible()
    choice = item.choices.get()
    assert (choice.verdict, choice.prompt) == ("repaint", "a doctor in a white coat")
    assert item.picture
    assert choice.version_id == item.picture.current_id


def test_near_identical_pictures_are_blocked_together(
    desk: Callable[..., Desk], committed: None
) -> None:
    ReviewItem.objects.filter(closed_at=None).update(closed_at=timezone.now())
    pdq = secrets.token_bytes(32)
    items = [judged_job(PictureAction.REVIEW, pdq=pdq).review_items.get() for _ in range(2)]
    apart = judged_job(PictureAction.REVIEW, pdq=secrets.token_bytes(32)).review_items.get()
    window = desk(make_user(group="Moderators"))
    page = window.page
    page.goto("/admin/review/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(str(items[0].pk)))
    expect(page.locator("[name=likewise]")).to_have_count(1)
    page.keyboard.press("3")
    page.locator("[name=likewise]").focus()
    page.keyboard.press("Space")
    window.screenshot("desk-likewise")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.get_by_text("1 near-identical decided likewise")).to_be_visible()
    assert [item.choices.get().verdict for item in items] == ["block", "block"]
    assert not apart.choices.exists()


def test_what_was_typed_stays_where_the_picture_became_another(
    desk: Callable[..., Desk], job: Job
) -> None:
    page = desk(make_user(group="Moderators")).page
    page.goto("/admin/review/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/items/"))
    item = ReviewItem.objects.get(pk=page.url.rstrip("/").split("/")[-1])
    other = PictureVersion.objects.exclude(picture=item.picture_id)[0]
    page.locator("[name=shown]").evaluate("(field, id) => { field.value = id }", str(other.pk))
    page.keyboard.press("w")
    page.keyboard.type("It shows a bare knife.")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.get_by_text("another by now")).to_be_visible()
    expect(page.locator("#desk-why")).to_have_value("It shows a bare knife.")
    page.keyboard.press("b")
    expect(page.get_by_text("Decided just now")).to_be_visible()
    assert item.choices.get().explanation == "It shows a bare knife."


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
