"""Pictures painted on what a client sends: by OpenAI's own client, with real workers."""

import asyncio
import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import openai
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image
from redis import Redis

from accounts.models import Tenant
from jobs.models import Job
from jobs.progress import PROGRESS_CHANNEL, Progress, progress_read
from jobs.storage import object_delete
from sent_pictures import harmless, png, violent
from waiting import assert_one_end, wait_for_end

pytestmark = pytest.mark.usefixtures("committed")

PROMPT = "a sailboat on the sea"
WANTED: dict[str, Any] = {
    "prompt": PROMPT, "response_format": "b64_json", "extra_body": {"seed": 7, "steps": 10},
}  # fmt: skip


@pytest.fixture
def client(options: dict[str, Any]) -> openai.OpenAI:
    return openai.OpenAI(**options)


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def edited(answer: Any) -> np.ndarray[Any, Any]:
    (one,) = answer.data
    return pixels(base64.b64decode(one.b64_json))


def half_mask(mode: str) -> bytes:
    """The left half is to be painted anew: transparent, or white without transparency."""
    if mode == "L":
        mask = Image.new("L", (96, 96), 0)
        mask.paste(255, (0, 0, 48, 96))
    else:
        mask = Image.new("RGBA", (96, 96), (255, 255, 255, 255))
        mask.paste((255, 255, 255, 0), (0, 0, 48, 96))
    return png(mask)


def test_without_a_mask_the_picture_is_painted_over(client: openai.OpenAI, tenant: Tenant) -> None:
    before = pixels(harmless())
    little, much = (
        edited(client.images.edit(image=harmless(), **_with(strength=strength)))
        for strength in (0.2, 1.0)
    )
    assert 0 < abs(little - before).mean() < abs(much - before).mean()
    first, _ = Job.objects.filter(tenant=tenant).order_by("id")
    assert (first.status, first.strength) == ("succeeded", 0.2)
    assert [stage.stage for stage in first.stages.order_by("position")] == [
        "align", "inspect", "generate", "scrutinise", "release",
    ]  # fmt: skip
    assert first.decisions.get(stage="inspect").action == "allow"


def _with(**more: Any) -> dict[str, Any]:
    return WANTED | {"extra_body": WANTED["extra_body"] | more}


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_with_a_mask_only_that_is_painted_anew(
    client: openai.OpenAI, tenant: Tenant, mode: str
) -> None:
    after = edited(client.images.edit(image=harmless(), mask=half_mask(mode), **WANTED))
    changed = abs(after - pixels(harmless()))
    assert changed[:, 48:].max() == 0
    assert changed[:, :48].mean() > 5
    job = Job.objects.get(tenant=tenant)
    assert [d.action for d in job.decisions.filter(stage="inspect")] == ["allow", "allow"]


@pytest.mark.parametrize("as_mask", [False, True])
def test_nothing_is_painted_on_what_fires(
    client: openai.OpenAI, tenant: Tenant, as_mask: bool
) -> None:
    files: dict[str, Any] = (
        {"image": harmless(), "mask": violent()} if as_mask else {"image": violent()}
    )
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(**files, **WANTED)
    assert (refused.value.code, refused.value.param) == ("moderation_blocked", "image")
    assert "The picture that was sent shows nsfw." in refused.value.message
    assert "Send another picture" in refused.value.message
    job = Job.objects.get(tenant=tenant)
    assert (job.status, job.reason) == ("blocked", "sent_picture_blocked")
    assert job.stages.get(stage="generate").state == "skipped"
    assert job.pictures.get().current is None
    assert job.usage.pictures_painted == 0


def test_a_prompt_that_is_refused(client: openai.OpenAI, tenant: Tenant) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(image=harmless(), prompt="a suicide bomber")
    assert (refused.value.code, refused.value.param) == ("moderation_blocked", "prompt")
    assert Job.objects.get(tenant=tenant).stages.get(stage="inspect").state == "skipped"


def test_bad_files_and_fields_are_named(client: openai.OpenAI, tenant: Tenant) -> None:
    for wanted, param in (
        ({"image": b"no picture"}, "image"),
        ({"image": [harmless(), harmless()]}, "image"),
        ({"image": harmless(), "mask": b"no picture"}, "mask"),
        ({"image": harmless(), "n": 11}, "n"),
        ({"image": harmless(), "extra_body": {"strength": 2}}, "strength"),
        ({"image": harmless(), "extra_body": {"lora": "ink"}}, "lora"),
        ({"image": harmless(), "size": "1x1"}, "size"),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.edit(prompt=PROMPT, **wanted)  # type: ignore[call-overload]
        assert (refused.value.code, refused.value.param) == ("invalid_request", param)
    with pytest.raises(openai.BadRequestError) as unread:
        client.images.edit(prompt=PROMPT, image=harmless()[:200])
    assert (unread.value.code, unread.value.param) == ("no_picture", "image")
    assert Job.objects.filter(tenant=tenant).count() == 1


def test_asynchronously_streamed_and_sent_again(options: dict[str, Any], tenant: Tenant) -> None:
    async def ask() -> list[Any]:
        async with openai.AsyncOpenAI(**options | {"timeout": 2, "max_retries": 25}) as client:
            stream = await client.images.edit(
                image=[harmless()], prompt=PROMPT, n=2, stream=True, extra_body={"steps": 10}
            )
            return [event async for event in stream]

    events = asyncio.run(ask())
    assert [event.type for event in events] == ["image_edit.completed"] * 2
    job = Job.objects.get(tenant=tenant)
    assert [event.revised_prompt for event in events] == [
        picture.prompt for picture in job.pictures.order_by("index")
    ]


def test_progress_is_told(client: openai.OpenAI, tenant: Tenant) -> None:
    told: list[Progress] = []
    with Redis.from_url(settings.ENVIRONMENT.redis_url) as redis, redis.pubsub() as channel:
        channel.subscribe(PROGRESS_CHANNEL)
        client.images.edit(image=harmless(), **_with(steps=100))
        while message := channel.get_message(timeout=1):
            if message["type"] == "message":
                told += progress_read(message["data"])
    job = Job.objects.get(tenant=tenant)
    of_job = [progress for progress in told if progress.job_id == job.id]
    assert of_job
    assert {progress.pictures for progress in of_job} == {(job.pictures.get().id,)}
    assert {progress.steps for progress in of_job} == {100}
    assert [progress.step for progress in of_job] == sorted(progress.step for progress in of_job)


def test_an_edit_is_run_again_on_what_was_sent(
    client: openai.OpenAI, tenant: Tenant, client_of: Callable[..., Client]
) -> None:
    client.images.edit(image=harmless(), mask=half_mask("L"), **WANTED)
    job, api = Job.objects.get(tenant=tenant), client_of(tenant)
    again = Job.objects.get(pk=api.post(f"/api/v1/jobs/{job.id}/replay").json()["id"])
    assert_one_end(wait_for_end(again), "succeeded")
    comparison = api.get(f"/api/v1/jobs/{again.id}/replay").json()
    assert (comparison["identical"], comparison["differences"]) == (True, [])
    assert again.strength == job.strength == 1.0
    before, after = list(job.sent.all()), list(again.sent.all())
    assert [(p.role, p.sha256) for p in after] == [(p.role, p.sha256) for p in before]
    assert not {p.key for p in after} & {p.key for p in before}
    assert [p.verdict["action"] for p in after if p.verdict] == ["release"] * 2

    object_delete(before[1].key)
    refused = api.post(f"/api/v1/jobs/{job.id}/replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_be_replayed")
    assert "The mask that was sent with it is not kept any more" in refused.json()["detail"]
    assert job.replays.get() == again


def test_an_edit_that_was_blocked_is_blocked_again(
    client: openai.OpenAI, tenant: Tenant, client_of: Callable[..., Client]
) -> None:
    with pytest.raises(openai.BadRequestError):
        client.images.edit(image=violent(), **WANTED)
    job, api = Job.objects.get(tenant=tenant), client_of(tenant)
    again = Job.objects.get(pk=api.post(f"/api/v1/jobs/{job.id}/replay").json()["id"])
    assert_one_end(wait_for_end(again), "blocked")
    assert again.reason == "sent_picture_blocked"
    assert api.get(f"/api/v1/jobs/{again.id}/replay").json()["identical"] is True
    job.sent.update(verdict={"action": "release", "findings": [], "scores": {}})
    differences = api.get(f"/api/v1/jobs/{again.id}/replay").json()["differences"]
    assert {"sent.0.action", "sent.0.findings", "sent.0.scores.nsfw"} <= {
        d["what"] for d in differences if d["picture"] is None
    }
