"""Two moderators press a button at the same moment: one decision, and the other is told."""

import threading
from uuid import UUID

import pytest
from django.db import connections

from accounts.models import User
from moderation.review import NotInReview, picture_decide
from review_cases import make_user, reviewed_picture

pytestmark = [pytest.mark.services]


@pytest.mark.usefixtures("committed")
def test_two_at_once_make_one_decision() -> None:
    picture = reviewed_picture()
    users = [make_user(group="Moderators") for _ in range(2)]
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def press(user: User, picture_id: UUID, release: bool) -> None:
        try:
            start.wait(10)
            picture_decide(
                picture_id=picture_id, moderator=user, release=release, explanation="mine"
            )
            outcomes.append("decided")
        except NotInReview:
            outcomes.append("too late")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=press, args=(user, picture.id, release))
        for user, release in zip(users, [True, False], strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["decided", "too late"]
    assert picture.decisions.filter(stage="review").count() == 1
