"""A moderator blurs a region, or has a picture painted anew."""

import io

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from desk.choosing import ChoiceError, choice_make, choices_settle
from desk.models import Choice, ReviewItem, Severity, Verdict
from desk.retouching import BadRegion, Region, region_blur
from desk.taking import item_open
from ethical_lens.results import PictureAction, PictureVerdict
from jobs.claims import stage_fail
from jobs.models import Job, Picture, PictureVersion
from jobs.recording.painting import PaintedPicture, painting_finish, pictures_to_paint
from jobs.recording.scrutiny import (
    ScrutinisedPicture,
    pictures_to_scrutinise,
    scrutiny_finish,
)
from jobs.storage import object_get, quarantine_put
from moderation.previews import PictureUnreadable
from review_cases import (
    SCORES,
    claimed,
    judged_job,
    make_user,
    png,
    release_run,
    reviewed_picture,
)

pytestmark = [pytest.mark.services, pytest.mark.django_db]
LEFT_HALF = Region(0.0, 0.0, 0.5, 1.0)


def held(picture: Picture) -> tuple[ReviewItem, User]:
    user = make_user(group="Moderators")
    item = picture.review_items.get(closed_at=None)
    return item_open(item_id=item.pk, user=user), user


def settle(choice: Choice) -> None:
    ReviewItem.objects.filter(pk=choice.item_id).update(settles_at=timezone.now())
    choices_settle()
    choice.refresh_from_db()


def pixels(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)


def test_a_blurred_region_keeps_no_edge_and_the_rest_is_untouched() -> None:
    before = png(3)
    after = pixels(region_blur(before, LEFT_HALF))
    assert np.array_equal(after[:, 34:], pixels(before)[:, 34:])
    steps = np.abs(np.diff(after[:, :32], axis=1)).max()
    assert steps < np.abs(np.diff(pixels(before)[:, :32], axis=1)).max() / 3
    with pytest.raises(PictureUnreadable):
        region_blur(b"no picture", LEFT_HALF)


@pytest.mark.parametrize(
    "bounds", [(0.5, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1.1, 1), (0, 0, 0.001, 1)]
)
def test_a_region_lies_inside_and_can_be_seen(bounds: tuple[float, ...]) -> None:
    with pytest.raises(BadRegion):
        Region(*bounds)


def blurred() -> tuple[Picture, Choice, PictureVersion]:
    """A picture whose left half a moderator blurred, their choice, and what it was before."""
    picture = reviewed_picture()
    original = picture.current
    assert original
    item, user = held(picture)
    choice = choice_make(
        item_id=item.pk, user=user, verdict=Verdict.BLUR, explanation="A face.", region=LEFT_HALF
    )
    picture.refresh_from_db()
    assert picture.current == original, "nothing yet"
    settle(choice)
    picture.refresh_from_db()
    return picture, choice, original


def judge(job: Job, action: PictureAction) -> None:
    """What the worker of scrutiny records of the one picture that waits for it."""
    claim = claimed(job, "scrutinise")
    (to_judge,) = pictures_to_scrutinise([claim])
    verdict = PictureVerdict(action=action, reason="judged", explanation="Judged.", scores=SCORES)
    judged = ScrutinisedPicture(picture_id=to_judge.picture_id, verdict=verdict)
    scrutiny_finish({claim: [judged]}, model_digests={})
    release_run(job)


def test_what_a_moderator_blurred_waits_for_scrutiny_and_the_decision_names_it() -> None:
    picture, choice, original = blurred()
    assert choice.decision
    assert picture.current
    assert (choice.decision.action, choice.decision.actor) == ("blur", choice.user)
    assert choice.decision.object_digest == picture.current.sha256 != original.sha256
    assert (picture.current.kind, picture.status) == ("retouched", "quarantined")
    assert (picture.cleared_by, picture.released_key) == (None, "")
    assert picture.job.stages.filter(state="ready").get().stage == "scrutinise"
    (to_judge,) = pictures_to_scrutinise([claimed(picture.job, "scrutinise")])
    assert (to_judge.sha256, to_judge.retouched) == (picture.current.sha256, True)
    kept = object_get(picture.current.key, sha256=picture.current.sha256)
    assert kept == region_blur(object_get(original.key, sha256=original.sha256), LEFT_HALF)


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (PictureAction.RELEASE, "released"),
        (PictureAction.BLOCK, "blocked"),
        (PictureAction.REVIEW, "in_review"),
    ],
)
def test_what_a_moderator_blurred_goes_out_by_the_verdict_on_it_alone(
    action: PictureAction, status: str
) -> None:
    picture, choice, _ = blurred()
    judge(picture.job, action)
    picture.refresh_from_db()
    assert picture.current
    assert picture.status == status
    if status == "released":
        assert picture.cleared_by
        assert picture.cleared_by.stage == "scrutinise"
        assert picture.cleared_by != choice.decision
        assert picture.cleared_by.object_digest == picture.current.sha256
        assert object_get(picture.released_key, sha256=picture.current.sha256)
    else:
        assert picture.released_key == ""
    waits = picture.review_items.filter(closed_at=None).exists()
    assert waits == (status == "in_review"), "what nobody could judge comes back to a person"


def test_what_a_moderator_blurred_is_held_where_scrutiny_fails_for_good() -> None:
    picture, _, _ = blurred()
    for _ in range(settings.ENVIRONMENT.stage_attempts):
        picture.job.stages.filter(stage="scrutinise", state="ready").update(
            ready_at=picture.job.created_at
        )
        claim = claimed(picture.job, "scrutinise")
        stage_fail(claim=claim, error="the classifier is gone")
    picture.refresh_from_db()
    picture.job.refresh_from_db()
    assert (picture.job.status, picture.status) == ("needs_review", "in_review")
    assert picture.review_items.filter(closed_at=None).exists()


def test_the_page_sends_the_region(client: Client) -> None:
    item, user = held(reviewed_picture())
    client.force_login(user)
    decide = reverse("desk:decide", args=[item.pk])
    shown = str(item.picture.current_id) if item.picture else ""
    body = {"verdict": "blur", "explanation": "A face.", "shown": shown}
    page = client.post(decide, body | {"region": "0.1,0.1,5,1"}, follow=True)
    assert "rectangle inside" in page.content.decode()
    page = client.post(decide, body, follow=True)
    assert "Draw the region" in page.content.decode()
    client.post(decide, body | {"region": "0.1,0.2,0.5,0.9"})
    assert item.choices.get().blurred is not None


def test_beside_somebody_under_20_nothing_is_repaired() -> None:
    item, user = held(reviewed_picture())
    ReviewItem.objects.filter(pk=item.pk).update(severity=Severity.HIGHEST)
    for verdict in (Verdict.BLUR, Verdict.REPAINT):
        with pytest.raises(ChoiceError, match="under 20"):
            choice_make(
                item_id=item.pk, user=user, verdict=verdict, explanation="x", region=LEFT_HALF,
                prompt="a harbour",
            )  # fmt: skip


def repainted() -> tuple[Picture, Job]:
    """A picture of two in review, after a moderator had it painted anew."""
    job = judged_job(PictureAction.REVIEW, PictureAction.REVIEW)
    picture = job.pictures.get(index=0)
    item = picture.review_items.get()
    user = make_user(group="Moderators")
    item_open(item_id=item.pk, user=user)
    choice = choice_make(
        item_id=item.pk, user=user, verdict=Verdict.REPAINT, explanation="Clothed.",
        prompt="a doctor in a white coat",
    )  # fmt: skip
    settle(choice)
    picture.refresh_from_db()
    job.refresh_from_db()
    assert choice.decision
    assert choice.decision.action == "repaint"
    return picture, job


def test_a_repaint_is_painted_from_its_prompt_scrutinised_and_only_then_released() -> None:
    picture, job = repainted()
    assert (job.status, picture.cleared_by) == ("queued", None)
    claim = claimed(job, "generate")
    (to_paint,) = pictures_to_paint([claim])
    assert (to_paint.picture_id, to_paint.prompt) == (picture.id, "a doctor in a white coat")
    stored = quarantine_put(job_id=job.id, picture_id=picture.id, round=claim.round, png=png(9))
    painted = PaintedPicture(picture_id=picture.id, prompt=to_paint.prompt, stored=stored)
    painting_finish({claim: [painted]}, model_digests={})
    claim = claimed(job, "scrutinise")
    (to_judge,) = pictures_to_scrutinise([claim])
    assert to_judge.under_twenty, "ages in the moderator's words were read by nobody"
    verdict = PictureVerdict(
        action=PictureAction.RELEASE, reason="no_finding", explanation="Fine.", scores=SCORES
    )
    judged = ScrutinisedPicture(picture_id=picture.id, verdict=verdict)
    scrutiny_finish({claim: [judged]}, model_digests={})
    release_run(job)
    picture.refresh_from_db()
    assert (picture.status, picture.current.sha256) == ("released", stored.sha256)  # type: ignore[union-attr]
    assert job.status == "needs_review", "its neighbour still waits"
    assert job.review_items.get(closed_at=None).picture.index == 1  # type: ignore[union-attr]


def test_a_repaint_needs_a_prompt() -> None:
    item, user = held(reviewed_picture())
    with pytest.raises(ChoiceError, match="Write the prompt"):
        choice_make(
            item_id=item.pk, user=user, verdict=Verdict.REPAINT, explanation="x", prompt=" "
        )


def test_what_cannot_be_carried_out_waits_for_another_choice() -> None:
    picture = reviewed_picture()
    item, user = held(picture)
    choice = choice_make(
        item_id=item.pk, user=user, verdict=Verdict.REPAINT, explanation="x", prompt="a harbour"
    )
    sexual = {"labels": ["K2"], "factors": ["P5"]}
    job = picture.job
    job.refresh_from_db()
    job.text_verdict = (job.text_verdict or {}) | sexual
    job.save(update_fields=["text_verdict"])
    settle(choice)
    item.refresh_from_db()
    assert (choice.decision, item.closed_at, item.settles_at) == (None, None, None)
    picture.refresh_from_db()
    assert picture.status == "in_review"
