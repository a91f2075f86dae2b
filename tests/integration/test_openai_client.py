"""OpenAI's own Python client, as it is, against the web process and real workers."""

import asyncio
import base64
import hashlib
import io
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from accounts.models import Scope, Tenant
from accounts.services import api_key_create
from devstack.application import ROOT
from jobs.models import Job
from sent_pictures import data_url, harmless, violent

pytestmark = pytest.mark.usefixtures("committed")

SMALL = {"steps": 8}
SAFE = "a doctor in an office"


@pytest.fixture
def client(options: dict[str, Any]) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(**options) as client:
        yield client


def size_of(content: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


def jobs(tenant: Tenant) -> list[Job]:
    return list(Job.objects.filter(tenant=tenant).order_by("id"))


def test_pictures_by_their_addresses(client: openai.OpenAI, tenant: Tenant) -> None:
    made = client.images.generate(prompt=SAFE, n=2, size="96x96", model="mini", extra_body=SMALL)
    (job,) = jobs(tenant)
    assert made.data is not None
    pictures = list(job.pictures.order_by("index"))
    assert [one.revised_prompt for one in made.data] == [p.prompt for p in pictures]
    assert all(one.revised_prompt != SAFE for one in made.data), "attributes were drawn"
    for one, picture in zip(made.data, pictures, strict=True):
        assert one.url is not None
        content = httpx.get(one.url).raise_for_status().content
        assert hashlib.sha256(content).hexdigest() == picture.current.sha256
        assert size_of(content) == (96, 96)
    assert (made.size, made.output_format, job.steps) == ("96x96", "png", 8)
    assert made.created == int(job.created_at.timestamp())


def test_pictures_in_the_answer(client: openai.OpenAI) -> None:
    wanted = {"prompt": SAFE, "response_format": "b64_json", "extra_body": SMALL | {"seed": 7}}
    first, second = (client.images.generate(**wanted) for _ in range(2))  # type: ignore[call-overload]
    (one,) = first.data
    assert (one.url, size_of(base64.b64decode(one.b64_json))) == (None, (96, 96))
    assert first.created <= second.created


def test_a_stream(client: openai.OpenAI, tenant: Tenant) -> None:
    stream = client.images.generate(
        prompt=SAFE, n=2, stream=True, partial_images=0, extra_body=SMALL
    )
    events: list[Any] = list(stream)
    assert [event.type for event in events] == ["image_generation.completed"] * 2
    (job,) = jobs(tenant)
    for event, picture in zip(events, job.pictures.order_by("index"), strict=True):
        content = base64.b64decode(event.b64_json)
        assert hashlib.sha256(content).hexdigest() == picture.current.sha256
        assert event.revised_prompt == picture.prompt
        assert (event.size, event.output_format, event.usage.total_tokens) == ("96x96", "png", 0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal(client: openai.OpenAI, tenant: Tenant, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a suicide bomber", stream=stream)
    (job,) = jobs(tenant)
    error = refused.value
    assert (error.code, error.param, error.type) == (
        "moderation_blocked", "prompt", "invalid_request_error",
    )  # fmt: skip
    assert job.explanation in error.message
    assert "Word the prompt" in error.message
    assert f"/api/v1/jobs/{job.id}/appeal" in error.message
    assert error.body["job"].endswith(f"/api/v1/jobs/{job.id}")  # type: ignore[index]
    assert job.pictures.get().current is None


def test_one_that_a_person_must_look_at(
    client: openai.OpenAI, tenant: Tenant, address: str, key: str
) -> None:
    with pytest.raises(openai.BadRequestError) as held:
        client.images.generate(prompt="ein Arzt in einem Zimmer")
    (job,) = jobs(tenant)
    assert held.value.code == "moderation_pending"
    url = held.value.body["job"]  # type: ignore[index]
    assert url == f"{address}/api/v1/jobs/{job.id}"
    shown = httpx.get(url, headers={"Authorization": f"Bearer {key}"}).json()
    assert shown["status"] == "needs_review"


def test_bad_fields_are_named(client: openai.OpenAI, tenant: Tenant) -> None:
    for wanted, param in (
        ({"prompt": " "}, "prompt"),
        ({"prompt": SAFE, "n": 11}, "n"),
        ({"prompt": SAFE, "size": "1024x2048"}, "size"),
        ({"prompt": SAFE, "size": "large"}, "size"),
        ({"prompt": SAFE, "model": "gpt-image-1"}, "model"),
        ({"prompt": SAFE, "extra_body": {"seeds": 1}}, "seeds"),
        ({"prompt": SAFE, "background": "transparent"}, "background"),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.generate(**wanted)  # type: ignore[call-overload]
        assert (refused.value.code, refused.value.param) == ("invalid_request", param)
        assert f"{param}: " in refused.value.message
    assert not jobs(tenant)


def test_who_may_not(address: str, tenant: Tenant) -> None:
    _, reader = api_key_create(tenant=tenant, name="reads", scopes=[Scope.JOBS_READ])
    for key, error, code in (
        ("el_wrong", openai.AuthenticationError, "invalid_key"),
        (reader, openai.PermissionDeniedError, "insufficient_scope"),
    ):
        with openai.OpenAI(base_url=f"{address}/v1", api_key=key) as client:
            with pytest.raises(error) as refused:
                client.images.generate(prompt=SAFE)
            assert refused.value.code == code  # type: ignore[attr-defined]


def test_a_quota_is_told_and_tried_again(client: openai.OpenAI, tenant: Tenant) -> None:
    tenant.pictures_per_day = 1
    tenant.save()
    with pytest.raises(openai.RateLimitError) as refused:
        client.with_options(max_retries=0).images.generate(prompt=SAFE, n=2)
    assert (refused.value.code, refused.value.param) == ("too_many_pictures_today", "n")
    assert refused.value.response.headers["Retry-After"]
    assert "tenant" in refused.value.response.headers["RateLimit"]


class Flaky(httpx.HTTPTransport):
    """Loses answers, after the request was answered or while it still is, so many times."""

    def __init__(self, losses: int, *, status: int | None = None) -> None:
        super().__init__()
        self.losses, self.status, self.counts = losses, status, list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.counts.append(request.headers["x-stainless-retry-count"])
        response = super().handle_request(request)
        if self.losses == 0:
            return response
        self.losses -= 1
        response.read()
        response.close()
        if self.status is not None:
            return httpx.Response(self.status, request=request)
        raise httpx.ReadError("the connection was lost", request=request)


@pytest.mark.parametrize("status", [None, 409, 503])
def test_its_own_retries_make_no_second_job(
    address: str, key: str, tenant: Tenant, status: int | None
) -> None:
    transport = Flaky(2, status=status)
    with openai.OpenAI(
        base_url=f"{address}/v1", api_key=key, http_client=httpx.Client(transport=transport)
    ) as client:
        made = client.images.generate(prompt=SAFE, extra_body=SMALL)
        assert transport.counts == ["0", "1", "2"]
        (job,) = jobs(tenant)
        assert made.data is not None
        assert made.data[0].revised_prompt == job.pictures.get().prompt
        client.images.generate(prompt=SAFE, extra_body=SMALL)
    assert len(jobs(tenant)) == 2, "the same request anew is another one"


class Lifting(httpx.HTTPTransport):
    """Lifts the tenant's rate once a request was refused for it."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__()
        self.tenant, self.statuses = tenant, list[int]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self.statuses.append(response.status_code)
        if response.status_code == 429:
            Tenant.objects.filter(pk=self.tenant.pk).update(requests_per_minute=None)
        return response


def test_what_was_refused_gets_no_pictures_of_an_equal_request_before_it(
    address: str, key: str, tenant: Tenant
) -> None:
    transport = Lifting(tenant)
    with openai.OpenAI(
        base_url=f"{address}/v1", api_key=key, http_client=httpx.Client(transport=transport)
    ) as client:
        client.images.generate(prompt=SAFE, extra_body=SMALL)
        Tenant.objects.filter(pk=tenant.pk).update(requests_per_minute=1)
        made = client.images.generate(prompt=SAFE, extra_body=SMALL)
    assert transport.statuses == [200, 429, 200]
    first, second = jobs(tenant)
    assert made.data is not None
    assert made.created == int(second.created_at.timestamp())
    assert made.data[0].url is not None
    assert str(second.id) in made.data[0].url
    assert first.status == second.status == "succeeded"


def sent(address: str, key: str, count: int) -> httpx.Response:
    """A request as the clients send it, for the `count`-th time after the first."""
    return httpx.post(
        f"{address}/v1/images/generations",
        json={"prompt": SAFE, **SMALL},
        headers={"Authorization": f"Bearer {key}", "x-stainless-retry-count": str(count)},
        timeout=60,
    )


def picture_of(response: httpx.Response) -> str:
    return str(response.raise_for_status().json()["data"][0]["url"]).split("?")[0]


def test_what_is_overtaken_by_its_own_repetition_is_one_job(
    address: str, key: str, tenant: Tenant
) -> None:
    repeated, overtaken, anew = (picture_of(sent(address, key, count)) for count in (1, 0, 0))
    assert repeated == overtaken != anew
    assert len(jobs(tenant)) == 2


def test_what_had_no_job_makes_one_when_it_is_sent_again(
    address: str, key: str, tenant: Tenant
) -> None:
    before = picture_of(sent(address, key, 0))
    tenant.pictures_per_day = 1
    tenant.save()
    assert sent(address, key, 0).status_code == 429
    tenant.pictures_per_day = None
    tenant.save()
    again, once_more = (picture_of(sent(address, key, count)) for count in (1, 2))
    assert before != again == once_more
    assert len(jobs(tenant)) == 2


def test_a_client_that_loses_patience_gets_its_one_job(
    address: str, key: str, tenant: Tenant
) -> None:
    with openai.OpenAI(
        base_url=f"{address}/v1", api_key=key, timeout=2.0, max_retries=25
    ) as client:
        made = client.images.generate(prompt=SAFE, n=4, extra_body={"steps": 40})
    (job,) = jobs(tenant)
    assert made.data is not None
    assert [one.revised_prompt for one in made.data] == [
        p.prompt for p in job.pictures.order_by("index")
    ]


def test_an_idempotency_key_of_ones_own(client: openai.OpenAI, tenant: Tenant) -> None:
    named: dict[str, Any] = {"extra_headers": {"Idempotency-Key": "once"}, "extra_body": SMALL}
    first = client.images.generate(prompt=SAFE, **named)
    second = client.images.generate(prompt=SAFE, **named)
    assert first.data
    assert second.data
    assert first.data[0].revised_prompt == second.data[0].revised_prompt
    with pytest.raises(openai.BadRequestError) as reused:
        client.images.generate(prompt="a nurse", **named)
    assert reused.value.code == "idempotency_key_reused"
    assert len(jobs(tenant)) == 1


def test_equal_requests_at_once_are_as_many_jobs(address: str, key: str, tenant: Tenant) -> None:
    async def ask() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=key) as client:
            return await asyncio.gather(
                *(client.images.generate(prompt=SAFE, extra_body=SMALL) for _ in range(5))
            )

    made = asyncio.run(ask())
    assert len(jobs(tenant)) == 5
    prompts = {one.data[0].revised_prompt for one in made}
    assert prompts == {job.pictures.get().prompt for job in jobs(tenant)}


def test_asynchronously(address: str, key: str) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=key) as client:
            assert [model.id async for model in client.models.list()] == ["mini"]
            judged = await client.moderations.create(input="a suicide bomber")
            assert judged.results[0].flagged
            stream = await client.images.generate(prompt=SAFE, stream=True, extra_body=SMALL)
            assert [event.type async for event in stream] == ["image_generation.completed"]
            with pytest.raises(openai.BadRequestError) as refused:
                await client.images.generate(prompt="a suicide bomber")
            assert refused.value.code == "moderation_blocked"

    asyncio.run(ask())


def test_models(client: openai.OpenAI) -> None:
    (model,) = client.models.list()
    assert (model.id, model.object, model.owned_by) == ("mini", "model", "ethical-lens")
    assert client.models.retrieve("mini") == model
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-image-1")


def test_texts_are_judged(client: openai.OpenAI, tenant: Tenant) -> None:
    judged = client.moderations.create(
        input=[SAFE, "a suicide\nbomber"], model="omni-moderation-latest"
    )
    safe, flagged = judged.results
    assert (safe.flagged, any(safe.categories.model_dump(by_alias=True).values())) == (False, False)
    assert flagged.flagged
    assert (flagged.categories.violence, flagged.categories.self_harm) == (True, True)
    assert (flagged.category_scores.violence, flagged.category_scores.sexual) == (0.95, 0.0)
    assert flagged.category_applied_input_types.violence == ["text"]
    assert judged.id == f"modr-{jobs(tenant)[0].id}"
    assert not any(job.pictures.exists() for job in jobs(tenant))


def test_pictures_are_judged_beside_a_text(client: openai.OpenAI) -> None:
    for picture, flagged in ((harmless(), False), (violent(), True)):
        (result,) = client.moderations.create(
            input=[
                {"type": "text", "text": "a street"},
                {"type": "image_url", "image_url": {"url": data_url(picture)}},
            ]
        ).results
        assert (result.flagged, result.categories.violence_graphic) == (flagged, flagged)
        assert result.category_applied_input_types.violence == ["text", "image"]
        assert (result.category_scores.violence >= 0.7) is flagged


def test_no_verdict_is_an_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as failed:
        client.moderations.create(input=[SAFE, "ein Arzt in einem Zimmer"])
    assert (failed.value.code, failed.value.param) == ("no_text_verdict", "input")
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(
            input=[{"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/a.png"}}]
        )
    assert refused.value.code == "picture_url_refused"
    with pytest.raises(openai.BadRequestError) as empty:
        client.moderations.create(input="")
    assert (empty.value.code, empty.value.param) == ("invalid_request", "input")


def test_the_example_of_the_page_runs_as_printed(
    address: str, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    page = (ROOT / "docs" / "openai.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", key)
    runpy.run_path(str(script))
    printed = capsys.readouterr().out
    assert "moderation_blocked" in printed
    assert size_of((tmp_path / "doctor.png").read_bytes()) == (96, 96)
