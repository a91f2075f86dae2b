"""A platform reports what is out, and a moderator finds it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from ethical_lens.results import PictureAction
from jobs.models import Job
from moderation.models import Report, ReportReason
from moderation.queue import reports_waiting
from moderation.reports import report_open
from review_cases import judged_job, make_user

pytestmark = [pytest.mark.services]

REPORT = {"reason": "violence", "text": "blood on the wall", "reporter": "viewer-7"}


def send(api: Client, job: Job, body: Any = REPORT, index: int = 0) -> Any:
    path = f"/api/v1/jobs/{job.id}/pictures/{index}/reports"
    return api.post(path, json.dumps(body), "application/json")


@pytest.fixture
def job(db: None) -> Job:
    return judged_job(PictureAction.RELEASE, PictureAction.BLOCK)


def test_a_report_opens_a_review_once(client_of: Any, job: Job) -> None:
    api = client_of(job.tenant)
    first, again = send(api, job), send(api, job)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert first.json() == first.json() | REPORT | {"picture": 0, "action": None}
    report = Report.objects.get(tenant=job.tenant)
    assert report in reports_waiting()
    assert report.object_digest == job.pictures.get(index=0).current.sha256  # type: ignore[union-attr]
    assert [r["id"] for r in api.get(first.wsgi_request.path).json()] == [str(report.id)]
    assert job.pictures.get(index=0).status == "released", "it stays out until a person has looked"


def test_another_reporter_and_another_reason_are_other_reports(client_of: Any, job: Job) -> None:
    api = client_of(job.tenant)
    bodies = [REPORT, REPORT | {"reporter": "viewer-8"}, REPORT | {"reason": "hate"}]
    assert [send(api, job, body).status_code for body in bodies] == [201, 201, 201]


def test_an_answered_report_can_be_made_anew(client_of: Any, job: Job) -> None:
    api = client_of(job.tenant)
    send(api, job)
    answer = job.decisions.filter(picture__index=0).latest("id")
    reports_waiting().filter(tenant=job.tenant).update(answer=answer, answered_at=answer.created_at)
    (answered,) = api.get(f"/api/v1/jobs/{job.id}/pictures/0/reports").json()
    assert (answered["action"], answered["explanation"]) == (answer.action, answer.explanation)
    assert send(api, job).status_code == 201
    assert reports_waiting().filter(tenant=job.tenant).count() == 1


def test_what_is_not_out_cannot_be_reported(client_of: Any, job: Job) -> None:
    api = client_of(job.tenant)
    response = send(api, job, index=1)
    assert (response.status_code, response.json()["code"]) == (409, "picture_not_released")
    assert send(api, job, index=2).status_code == 404
    assert not Report.objects.filter(tenant=job.tenant).exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        (REPORT | {"reason": "ugly"}, "/reason"),
        (REPORT | {"text": "x" * 2001}, "/text"),
        (REPORT | {"reporter": "a\nb"}, "/reporter"),
        (REPORT | {"status": "open"}, "/status"),
    ],
)
def test_a_bad_report_names_its_field(
    client_of: Any, job: Job, body: dict[str, str], pointer: str
) -> None:
    response = send(client_of(job.tenant), job, body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_moderator_finds_it(client_of: Any, job: Job) -> None:
    send(client_of(job.tenant), job)
    desk = Client()
    desk.force_login(make_user(group="Moderators"))
    waiting = reverse("admin:moderation_report_changelist") + "?waiting=answer"
    assert REPORT["text"] in desk.get(waiting).content.decode()
    assert "reports wait for an answer" in desk.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("committed")
def test_the_same_report_twenty_times_at_once_is_one() -> None:
    job = judged_job(PictureAction.RELEASE)
    picture = job.pictures.get()

    def report(_: int) -> bool:
        try:
            return report_open(picture_id=picture.id, reason=ReportReason.OTHER)[1]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(report, range(20))) == [False] * 19 + [True]
    assert picture.reports.count() == 1
