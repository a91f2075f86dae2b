"""Verdicts become labels that the training of heads reads."""

from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from config.identifiers import uuid7
from desk.choosing import choice_make, choice_undo, choices_settle
from desk.labels import labels
from desk.models import ReviewItem, Verdict
from desk.second_looks import golden_add
from desk.taking import item_open
from ethical_lens.training.heads.table import read_votes
from jobs.models import Picture, PictureVersion
from review_cases import make_user, png, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def choose(item: ReviewItem, user: User, verdict: Verdict) -> None:
    item_open(item_id=item.pk, user=user)
    choice_make(item_id=item.pk, user=user, verdict=verdict, explanation="I looked.")
    ReviewItem.objects.filter(pk=item.pk).update(settles_at=timezone.now())
    choices_settle()


def test_each_person_is_a_rater_of_each_picture(tmp_path: Path) -> None:
    first, second = make_user(group="Moderators"), make_user(group="Moderators")
    picture = reviewed_picture()
    item = picture.review_items.get()
    choose(item, first, Verdict.BLOCK)
    choose(golden_add(item_id=item.pk), second, Verdict.ALLOW)
    undone = reviewed_picture().review_items.get()
    item_open(item_id=undone.pk, user=first)
    choice = choice_make(item_id=undone.pk, user=first, verdict=Verdict.BLOCK, explanation="no")
    choice_undo(choice_id=choice.pk, user=first)

    folder = tmp_path / "labels"
    call_command("labels_export", str(folder), by=second.username)
    line = LogEntry.objects.get(user=second)
    assert (line.object_repr, line.change_message) == (
        "all labels",
        "Exported with the originals of their pictures.",
    )
    votes = [
        vote
        for vote in read_votes(folder / "labels.csv")
        if vote.picture == f"{picture.current.sha256}.png"  # type: ignore[union-attr]
    ]
    assert {vote.concept.value for vote in votes} == {"nsfw"}
    assert sorted(vote.answer for vote in votes) == [False, True]
    assert len({vote.rater for vote in votes}) == 2
    text = (folder / "labels.csv").read_text()
    assert first.username not in text
    assert str(first.pk) not in text
    assert (folder / "pictures" / votes[0].picture).read_bytes() == png(0)
    assert len(text.splitlines()) == 1 + len(votes)


def test_a_label_is_of_the_picture_as_it_was_seen() -> None:
    picture = reviewed_picture()
    seen = picture.current
    assert seen
    choose(picture.review_items.get(), make_user(group="Moderators"), Verdict.BLOCK)
    later = PictureVersion.objects.filter(pk=seen.pk).values().get() | {
        "id": uuid7(), "round": 2, "sha256": "3" * 64,
    }  # fmt: skip
    Picture.objects.filter(pk=picture.pk).update(current=PictureVersion.objects.create(**later))
    assert [label.version for label in labels() if label.version.picture_id == picture.pk] == [seen]


def test_a_folder_that_is_there_and_a_day_that_is_none_are_refused(tmp_path: Path) -> None:
    by = make_user().username
    with pytest.raises(CommandError, match="--since"):
        call_command("labels_export", str(tmp_path / "new"), by=by, since="yesterday")
    with pytest.raises(CommandError, match="nobody has that name"):
        call_command("labels_export", str(tmp_path / "new"), by="nobody at all")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(CommandError, match="does not exist"):
        call_command("labels_export", str(tmp_path), by=by)
