"""Whole jobs through real workers, and every path a picture can take."""

import hashlib
import io
from collections.abc import Callable

import httpx
import pytest
from django.test import Client
from factories import make_job, make_tenant
from PIL import Image
from waiting import assert_one_end, wait_for_end, wait_until

from devstack.ports import free_port
from devstack.receiver import Receiver
from jobs.storage import released_url
from webhooks.services import endpoint_create

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
        assert (image.format, image.size, image.info) == ("PNG", (64, 64), {})
    actions = [(d.stage, d.action) for d in job.decisions.all()]
    assert actions == [("align", "allow")] + [("scrutinise", "release")] * 4
    assert job.usage.pictures_released == 4


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
    assert job.reason == "prompt_blocked"
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
