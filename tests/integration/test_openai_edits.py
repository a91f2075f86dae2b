"""Pictures painted on what a client sends: by OpenAI's own client, with real workers."""

import asyncio
import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import openai
import pytest
from PIL import Image

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from devstack.application import Application
from devstack.ports import free_port
from factories import make_tenant
from jobs.models import Job
from sent_pictures import harmless, png, violent
from waiting import wait_for_web

pytestmark = pytest.mark.usefixtures("committed")

PROMPT = "a sailboat on the sea"
WANTED: dict[str, Any] = {
    "prompt": PROMPT, "response_format": "b64_json", "extra_body": {"seed": 7, "steps": 10},
}  # fmt: skip


@pytest.fixture(scope="module")
def address(make_application: Callable[..., Application]) -> str:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    application = make_application(PUBLIC_URL=url)
    application.start_web(port)
    application.start_dispatcher()
    for worker in ("worker-text", "worker-pictures", "worker-io"):
        application.start_worker(worker)
    wait_for_web(url)
    return url


@pytest.fixture
def tenant(committed: None) -> Tenant:
    return make_tenant()


@pytest.fixture
def options(address: str, tenant: Tenant) -> dict[str, Any]:
    _, key = api_key_create(tenant=tenant, name="test", scopes=tuple(Scope))
    return {"base_url": f"{address}/v1", "api_key": key, "timeout": 120}


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
                image=harmless(), prompt=PROMPT, n=2, stream=True, extra_body={"steps": 10}
            )
            return [event async for event in stream]

    events = asyncio.run(ask())
    assert [event.type for event in events] == ["image_edit.completed"] * 2
    job = Job.objects.get(tenant=tenant)
    assert [event.revised_prompt for event in events] == [
        picture.prompt for picture in job.pictures.order_by("index")
    ]
