"""An appeal in the browser: by the API of the platform to somebody else than who decided."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from browsing import Desk
from desk.choosing import choices_settle
from desk.models import ItemKind, ReviewItem
from ethical_lens.results import PictureAction
from moderation.appeals import appeals_open
from moderation.models import AppealState
from moderation.review import picture_decide
from review_cases import make_user, release_run, reviewed_picture


@pytest.mark.usefixtures("committed")
def test_an_appeal_is_decided_by_somebody_else_and_the_picture_comes_back(
    desk: Callable[..., Desk],
) -> None:
    ReviewItem.objects.filter(closed_at=None).update(closed_at=timezone.now())
    first, second = (make_user(group="Moderators") for _ in range(2))
    picture = reviewed_picture([PictureAction.REVIEW])
    picture_decide(
        picture_id=picture.pk, moderator=first, release=False, explanation="It shows a crowd."
    )
    release_run(picture.job)
    (appeal,) = appeals_open(job_id=picture.job_id, statement="It is a museum piece.")
    item = ReviewItem.objects.get(appeal=appeal, kind=ItemKind.APPEAL)

    own = desk(first)
    own.page.goto("/admin/review/")
    own.page.keyboard.press("n")
    expect(own.page.get_by_text("Nothing waits in your queues.")).to_be_visible()
    own.page.goto(f"/admin/review/items/{item.pk}/")
    own.page.keyboard.press("o")
    expect(own.page.get_by_text("Nothing was changed.")).to_be_visible()
    own.screenshot("appeal-of-ones-own")
    assert own.page.locator("#desk-decide").count() == 0

    other = desk(second)
    other.page.goto("/admin/review/")
    other.page.keyboard.press("n")
    expect(other.page).to_have_url(re.compile(str(item.pk)))
    expect(other.page.get_by_text("It is a museum piece.")).to_be_visible()
    other.screenshot("appeal")
    other.page.keyboard.press("1")
    other.page.keyboard.press("r")
    expect(other.page.get_by_text("Decided just now")).to_be_visible()
    appeal.refresh_from_db()
    assert appeal.state is AppealState.OPEN, "it can still be undone"
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()

    appeal.refresh_from_db()
    picture.refresh_from_db()
    assert (appeal.state, picture.status) == (AppealState.ACCEPTED, "released")
    assert appeal.answer is not None
    assert appeal.answer.actor == second
    other.page.goto(f"/admin/moderation/appeal/{appeal.pk}/change/")
    expect(other.page.get_by_text("accepted").first).to_be_visible()
    other.screenshot("appeal-accepted")
