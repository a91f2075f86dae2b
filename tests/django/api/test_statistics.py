"""Counts of a tenant's jobs, over a time."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Tenant
from factories import make_job, make_tenant
from jobs.models import Job
from jobs.services import job_cancel
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def counts(api: Client, **time: Any) -> Any:
    query = urlencode({name: moment.isoformat() for name, moment in time.items()})
    return api.get(f"/api/v1/jobs/statistics?{query}")


def judged(job: Job, *labels: str) -> None:
    Job.objects.filter(pk=job.pk).update(text_verdict={"labels": labels, "factors": ["P3"]})


def test_what_became_of_the_jobs(api: Client, tenant: Tenant) -> None:
    rewritten, harmless, canceled = make_job(tenant, n=2), make_job(tenant), make_job(tenant)
    judged(rewritten, "K1", "A1")
    judged(harmless, "K0")
    judged(make_job(make_tenant()), "K1")
    for picture, gender in zip(rewritten.pictures.all(), ("female", "male"), strict=True):
        picture.draws = [
            {"cluster": 0, "gender": gender, "race": None, "age": "adult"},
            {"cluster": 1, "gender": "female", "race": "asian", "age": None},
        ]
        picture.save()
        for round in (1, 2):
            decision_record(
                job=rewritten, picture=picture, stage=DecisionStage.SCRUTINISE, round=round,
                action=DecisionAction.BLUR, reason="region", explanation="x",
                findings=["nude"] if gender == "male" else [],
            )  # fmt: skip
    job_cancel(job_id=canceled.id)
    body = counts(api).json()
    assert body["jobs"] == {"queued": 2, "canceled": 1}
    assert body["reasons"] == {"canceled": 1}
    assert body["pictures"] == {"pending": 3, "withdrawn": 1}
    assert body["labels"] == {"K0": 1, "K1": 1, "A1": 1}
    assert body["factors"] == {"P3": 2}
    assert body["heads"] == {"nude": 1}, "a picture counts once, however often it was looked at"
    assert body["drawn"] == {
        "gender": {"female": 3, "male": 1},
        "race": {"asian": 2},
        "age": {"adult": 2},
    }


def test_only_of_the_time(api: Client, tenant: Tenant) -> None:
    make_job(tenant)
    now = timezone.now() + timedelta(seconds=1)
    assert counts(api, until=now).json()["jobs"] == {"queued": 1}
    assert counts(api, since=now, until=now + timedelta(days=1)).json()["jobs"] == {}
    assert counts(api, until=now - timedelta(hours=1)).json()["jobs"] == {}
    assert counts(api, since=now - timedelta(days=92), until=now).json()["jobs"] == {"queued": 1}


def test_times_that_are_none(api: Client) -> None:
    now = timezone.now()
    for wrong in (
        counts(api, since=now - timedelta(days=93), until=now),
        counts(api, since=now, until=now - timedelta(days=1)),
        api.get("/api/v1/jobs/statistics?since=yesterday"),
    ):
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")
        assert wrong.json()["errors"][0]["pointer"] == "/query/since"
