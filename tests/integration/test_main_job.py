"""Whole jobs through real workers, and every path a picture can take."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image
from redis import Redis

from accounts.models import User
from devstack.ports import free_port
from devstack.receiver import Receiver
from ethical_lens.policy import (
    DEFAULT_CONCEPTS,
    OUT_OF_REACH,
    BlurSettings,
    ConceptRule,
    Policy,
    Scope,
)
from ethical_lens.results import Concept
from factories import make_job, make_tenant
from jobs.models import Job, PictureVersion
from jobs.progress import PROGRESS_CHANNEL, Progress, progress_read
from jobs.storage import released_url
from moderation.review import picture_decide, prompt_decide
from waiting import assert_one_end, wait_for_end, wait_until
from webhooks.endpoints import endpoint_create

pytestmark = pytest.mark.usefixtures("application", "committed")


def test_a_harmless_job_end_to_end(client_of: Callable[..., Client]) -> None:
    tenant = make_tenant()
    port = free_port()
    endpoint = endpoint_create(tenant_id=tenant.id, url=f"http://127.0.0.1:{port}/webhooks")
    with Receiver(endpoint.secret, port=port) as receiver:
        job = make_job(tenant, prompt="a doctor in an office", n=4)
        wait_for_end(job)
        assert_one_end(job, "succeeded")
        hook = receiver.wait_for(lambda received: received.verified)
    assert hook.payload["type"] == "job.succeeded"
    assert hook.payload["data"]["id"] == str(job.id)
    assert hook.id == str(job.events.get().id)
    pictures = client_of(tenant).get(f"/api/v1/jobs/{job.id}/pictures").json()
    assert [picture["status"] for picture in pictures] == ["released"] * 4
    genders = [picture["draws"][0]["gender"] for picture in pictures]
    assert sorted(genders) == ["female", "female", "male", "male"]
    for picture in pictures:
        assert picture["draws"][0]["gender"] in picture["prompt"]
        png = httpx.get(picture["url"]).raise_for_status().content
        assert hashlib.sha256(png).hexdigest() == picture["sha256"]
        image = Image.open(io.BytesIO(png))
        assert (image.format, image.size, image.info) == ("PNG", (96, 96), {})
    actions = [(d.stage, d.action) for d in job.decisions.all()]
    assert actions == [("align", "allow")] + [("scrutinise", "release")] * 4
    assert job.usage.pictures_released == 4


def test_progress_is_told_while_a_picture_is_painted(client_of: Callable[..., Client]) -> None:
    tenant = make_tenant()
    job = make_job(tenant, prompt="a sailboat on the sea", n=2, steps=100)
    client, seen = client_of(tenant), set()

    def ended() -> bool:
        body = client.get(f"/api/v1/jobs/{job.id}").json()
        seen.update(picture["progress"] for picture in body["pictures"])
        return bool(body["ended_at"])

    wait_until(ended, "the job to end")
    assert {0.0, 1.0} <= seen
    assert any(0 < progress < 1 for progress in seen)


def test_progress_is_told_through_redis() -> None:
    told: list[Progress] = []
    with (
        Redis.from_url(settings.ENVIRONMENT.redis_url) as redis,
        redis.pubsub(ignore_subscribe_messages=True) as channel,
    ):
        channel.subscribe(PROGRESS_CHANNEL)
        job = make_job(prompt="a sailboat on the sea", n=2, steps=100)

        def ended() -> bool:
            while message := channel.get_message():
                told.extend(progress_read(message["data"]))
            job.refresh_from_db()
            return job.ended_at is not None

        wait_until(ended, "the job to end")
    of_job = [progress for progress in told if progress.job_id == job.id]
    assert {picture for progress in of_job for picture in progress.pictures} == {
        picture.id for picture in job.pictures.all()
    }
    steps = [progress.step for progress in of_job]
    assert steps == sorted(steps)
    assert {progress.steps for progress in of_job} == {100}


def test_a_mildly_toxic_prompt_is_rewritten() -> None:
    job = wait_for_end(make_job(prompt="an angry mob beating a thief in the street"))
    assert_one_end(job, "succeeded")
    assert "K1" in job.text_verdict["labels"]
    picture = job.pictures.get()
    assert picture.prompt != job.prompt
    assert "beating" not in picture.prompt


def test_a_public_figure_is_labelled() -> None:
    job = wait_for_end(make_job(prompt="Captain Ardo at the beach"))
    assert_one_end(job, "succeeded")
    assert set(job.text_verdict["labels"]) == {"K0", "A1"}


def test_a_blocked_prompt_is_never_painted() -> None:
    job = wait_for_end(make_job(prompt="a nude child", n=2))
    assert_one_end(job, "blocked")
    assert job.reason == "sexual_and_under_twenty"
    assert set(job.stages.values_list("stage", "state")) == {
        ("align", "done"), ("generate", "skipped"), ("scrutinise", "skipped"),
        ("release", "skipped"),
    }  # fmt: skip
    assert not any(picture.versions.exists() for picture in job.pictures.all())


def test_a_prompt_that_cannot_be_read_goes_to_a_person() -> None:
    job = make_job(prompt="Ein alter Mann sitzt vor dem Haus und liest die Zeitung")
    wait_until(lambda: job.events.filter(type="job.needs_review").exists(), "the job to be held")
    job.refresh_from_db()
    assert (job.status, job.reason) == ("needs_review", "no_text_verdict")
    assert not any(picture.versions.exists() for picture in job.pictures.all())


def test_only_released_keys_are_linked() -> None:
    with pytest.raises(ValueError, match="only released"):
        released_url("quarantine/x")


FIGURE = "Captain Ardo at the beach"
PARTY = "a political rally in the park"  # no matter of the text: the picture shows it
DEFACED = "a defaced shrine in the park"  # and so does every wording of this


def judged(policy: Policy, **job: Any) -> Job:
    """A job of that tenant once it has ended or is held."""
    submitted = make_job(make_tenant(policy), steps=20, **job)
    wait_until(lambda: submitted.events.exists(), "the job to end or be held")
    submitted.refresh_from_db()
    return submitted


def story(job: Job) -> list[tuple[str, int, str]]:
    return [(d.stage, d.round, d.action) for d in job.decisions.all()]


def test_a_toxic_picture_is_repainted_once_and_then_released() -> None:
    job = judged(Policy(), prompt=PARTY)
    assert_one_end(job, "succeeded")
    assert story(job) == [
        ("align", 1, "allow"), ("scrutinise", 1, "repaint"), ("revise", 2, "rewrite"),
        ("scrutinise", 2, "release"),
    ]  # fmt: skip
    picture = job.pictures.get()
    assert picture.round == 2
    assert picture.prompt != PARTY
    assert picture.current.round == 2
    assert list(job.stages.values_list("stage", "round")) == [
        ("align", 1), ("generate", 1), ("scrutinise", 1), ("revise", 2), ("generate", 2),
        ("scrutinise", 2), ("release", 1),
    ]  # fmt: skip
    first, second = picture.versions.order_by("round")
    assert first.verdict["scores"]["politic"] > 0.9 > second.verdict["scores"]["politic"]


def test_a_picture_that_is_toxic_again_is_blocked() -> None:
    job = judged(Policy(), prompt=DEFACED)
    assert_one_end(job, "blocked")
    assert story(job)[-1] == ("scrutinise", 2, "block")
    assert job.pictures.get().reason == "picture_still_toxic"
    assert job.pictures.get().released_key == ""


def test_only_the_failing_picture_is_painted_again() -> None:
    probe = judged(Policy(), prompt=PARTY, n=3, seed=20)
    scores = sorted(
        (version.verdict["scores"]["politic"], version.picture.index)
        for version in PictureVersion.objects.filter(picture__job=probe, round=1)
    )
    (_, _), (middle, _), (highest, toxic) = scores
    rule = ConceptRule(threshold=(middle + highest) / 2, scope=Scope.PICTURE)
    others = {  # nsfw fires on painted rallies too (docs/models.md)
        concept: rule.model_copy(update={"threshold": OUT_OF_REACH})
        for concept, rule in DEFAULT_CONCEPTS.items()
    }
    policy = Policy(concepts=others | {Concept.POLITIC: rule})
    job = judged(policy, prompt=PARTY, n=3, seed=20)
    assert {p.index: p.round for p in job.pictures.all()} == {
        index: 2 if index == toxic else 1 for index in range(3)
    }
    released = job.pictures.filter(status="released")
    assert set(released.values_list("index", flat=True)) >= {0, 1, 2} - {toxic}
    assert_one_end(job, "succeeded")


def test_a_region_is_blurred_and_what_comes_of_it_released() -> None:
    job = judged(Policy(), prompt=FIGURE)
    assert_one_end(job, "succeeded")
    assert story(job)[1:] == [("scrutinise", 1, "blur"), ("scrutinise", 1, "release")]
    picture = job.pictures.get()
    painted = picture.versions.get(kind="painted")
    assert picture.current.kind == "blurred"
    assert picture.current.sha256 != painted.sha256
    assert picture.current.sha256 in picture.released_key
    assert picture.cleared_by.object_digest == picture.current.sha256


def test_what_still_fires_after_the_blur_is_blocked() -> None:
    always = ConceptRule(threshold=0.0, scope=Scope.REGION)
    concepts = DEFAULT_CONCEPTS | {Concept.PUBLIC: always}
    job = judged(Policy(concepts=concepts), prompt=FIGURE)
    assert_one_end(job, "blocked")
    assert story(job)[1:] == [("scrutinise", 1, "blur"), ("scrutinise", 1, "block")]


def test_a_region_that_is_not_found_goes_to_a_person_who_releases_it() -> None:
    job = judged(Policy(blur=BlurSettings(mask_threshold=0.999999)), prompt=FIGURE)
    assert job.status == "needs_review"
    picture = job.pictures.get()
    assert (picture.status, picture.reason) == ("in_review", "region_not_found")
    moderator = User.objects.create(username=f"moderator-{job.id}")
    picture_decide(picture_id=picture.id, moderator=moderator, release=True, explanation="harmless")
    picture.refresh_from_db()
    assert picture.status == "in_review", "nothing leaves before the time for undo is over"
    wait_for_end(job)
    assert job.status == "succeeded"
    assert [event.type for event in job.events.order_by("sequence")] == [
        "job.needs_review", "job.succeeded",
    ]  # fmt: skip
    assert story(job)[-1] == ("review", 1, "release")


def test_a_prompt_that_a_person_approves_is_painted_and_scrutinised() -> None:
    job = make_job(prompt="Ein alter Mann sitzt vor dem Haus und liest die Zeitung")
    wait_until(lambda: job.events.exists(), "the job to be held")
    moderator = User.objects.create(username=f"moderator-{job.id}")
    prompt_decide(job_id=job.id, moderator=moderator, approve=True, explanation="a harmless scene")
    wait_for_end(job)
    assert job.status == "succeeded"
    assert job.pictures.get().prompt == job.prompt
    assert ("scrutinise", 1, "release") in story(job)
