"""Texts and pictures judged by real workers, and nothing painted."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from devstack.application import Application
from factories import make_job, make_tenant
from jobs.models import Job, SentPicture, StageRun
from jobs.services import ScrutinyRequest, job_cancel, scrutiny_submit
from jobs.storage import sent_put
from sent_pictures import data_url, harmless, violent
from waiting import assert_one_end, wait_for_end, wait_until

pytestmark = pytest.mark.usefixtures("workers", "committed")

WORKERS = ("worker-text", "worker-pictures", "worker-fetch", "worker-io")


@pytest.fixture(scope="module")
def workers(make_application: Callable[..., Application]) -> None:
    """Those that scrutiny needs; pictures may be fetched from this machine."""
    application = make_application(PICTURE_ALLOWED_NETWORKS="127.0.0.0/8")
    application.start_dispatcher()
    for worker in WORKERS:
        application.start_worker(worker)


@pytest.fixture
def api(client_of: Callable[..., Client]) -> Client:
    return client_of(make_tenant())


def judged(api: Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/api/v1/moderations", body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    job = wait_for_end(Job.objects.get(pk=answer.json()["id"]))
    assert_one_end(job, "succeeded", "failed")
    shown: dict[str, Any] = api.get(f"/api/v1/moderations/{job.id}").json()
    return shown


@pytest.mark.parametrize(
    ("text", "labels", "flagged"),
    [
        ("a doctor in an office", ["K0"], False),
        ("a bloody doctor in an office", ["K2"], True),
        ("a suicide bomber", ["K3"], True),
    ],
)
def test_a_text(api: Client, text: str, labels: list[str], flagged: bool) -> None:
    shown = judged(api, {"text": text})
    assert (shown["status"], shown["text"]["labels"]) == ("succeeded", labels)
    assert (shown["flagged"], shown["text"]["flagged"]) == (flagged, flagged)


def test_a_text_that_nobody_can_read(api: Client) -> None:
    shown = judged(api, {"text": "ein Arzt in einem Zimmer"})
    assert (shown["status"], shown["reason"]) == ("failed", "no_text_verdict")
    assert (shown["flagged"], shown["text"]) == (None, None)


@pytest.mark.parametrize(("make", "findings"), [(harmless, []), (violent, ["nsfw"])])
def test_a_picture_that_is_uploaded(
    api: Client, make: Callable[[], bytes], findings: list[str]
) -> None:
    shown = judged(api, {"pictures": [{"url": data_url(make())}]})
    (picture,) = shown["pictures"]
    assert (shown["status"], picture["findings"]) == ("succeeded", findings)
    assert (shown["flagged"], picture["flagged"]) == (bool(findings), bool(findings))
    assert (picture["scores"]["nsfw"] >= picture["thresholds"]["nsfw"]) is bool(findings)


def test_pictures_by_their_addresses_beside_a_text(
    api: Client, shelf: Callable[[bytes], str]
) -> None:
    pictures = [{"url": shelf(violent())}, {"url": data_url(harmless())}]
    shown = judged(api, {"text": "a street", "pictures": pictures})
    assert shown["flagged"] is True
    assert shown["text"]["flagged"] is False
    assert [picture["flagged"] for picture in shown["pictures"]] == [True, False]
    assert shown["pictures"][0]["url"] == pictures[0]["url"]
    assert shown["pictures"][1]["url"] is None


def test_an_address_that_leads_to_no_picture(api: Client, shelf: Callable[[bytes], str]) -> None:
    shown = judged(api, {"pictures": [{"url": shelf(b"<html>")}]})
    assert (shown["status"], shown["reason"], shown["flagged"]) == ("failed", "no_picture", None)


def test_an_address_that_pictures_are_not_fetched_from(api: Client) -> None:
    shown = judged(api, {"pictures": [{"url": "http://10.0.0.7/a.png"}]})
    assert (shown["status"], shown["reason"]) == ("failed", "picture_url_refused")
    assert shown["flagged"] is None


def test_a_picture_whose_header_alone_is_whole(api: Client) -> None:
    shown = judged(api, {"pictures": [{"url": data_url(harmless()[:200])}]})
    assert (shown["status"], shown["reason"], shown["flagged"]) == ("failed", "no_picture", None)


def test_senders_that_hang_hold_up_nobody_elses_release() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        request = ScrutinyRequest(pictures=(f"http://127.0.0.1:{silent.getsockname()[1]}/",))
        held = [scrutiny_submit(tenant=make_tenant(), request=request) for _ in range(12)]
        fetching = StageRun.objects.filter(job__in=held, stage="fetch", state="running")
        wait_until(lambda: fetching.count() == 8, "all threads that fetch to wait")
        job = wait_for_end(make_job())
        assert fetching.count() == 8
        assert_one_end(job, "succeeded")
        for waiting in held:
            job_cancel(job_id=waiting.id)


def test_a_picture_that_was_exchanged_in_the_store_is_not_judged() -> None:
    with transaction.atomic():
        job = scrutiny_submit(tenant=make_tenant(), request=ScrutinyRequest(pictures=(violent(),)))
        other = sent_put(job_id=job.id, index=0, content=harmless())
        SentPicture.objects.filter(job=job).update(key=other.key)
    wait_for_end(job)
    assert (job.status, job.reason) == ("failed", "inspect_failed")
