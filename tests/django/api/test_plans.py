"""Hot queries go by an index: no table that grows is read whole, by any statement they send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from ethical_lens.results import PictureAction
from factories import make_job
from jobs.claims import leases_renew, stage_claim, stage_fail
from jobs.dispatch import dispatch_once
from jobs.events import jobs_look
from jobs.models import Job, StageRun
from jobs.places import places_look
from jobs.reconcile import reconcile
from moderation.queue import appeals_waiting, reports_waiting
from review_cases import judged_job
from webhooks.dispatch import deliveries_dispatch
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery, Endpoint

pytestmark = [pytest.mark.services, pytest.mark.django_db]

GROWING = (
    "jobs_job", "jobs_picture", "jobs_pictureversion", "jobs_stagerun", "jobs_outbox",
    "jobs_usagerecord", "moderation_decision", "webhooks_event", "webhooks_delivery",
    "webhooks_deliveryattempt", "accounts_keptanswer", "accounts_apikey", "jobs_jobevent",
    "moderation_appeal", "moderation_report",
)  # fmt: skip
API = "/api/v1"


@contextmanager
def watched() -> Iterator[list[str]]:
    """Afterwards: the statements that were sent and read a growing table whole.

    On tables of a few rows the planner likes to read them whole, so that is made dear: it does
    so then only where no index serves.
    """
    whole: list[str] = []
    with CaptureQueriesContext(connection) as seen:
        yield whole
    looked_at = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in seen.captured_queries:
            sql = query["sql"].strip()
            if sql.split()[0].upper() not in {"SELECT", "UPDATE", "DELETE", "WITH", "INSERT"}:
                continue
            cursor.execute("EXPLAIN " + sql.replace("%", "%%") if "%%" in sql else "EXPLAIN " + sql)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            looked_at += 1
            if any(f"Seq Scan on {table}" in plan for table in GROWING):
                whole.append(f"{sql}\n{plan}")
    assert looked_at, "nothing was looked at"


@pytest.fixture
def endpoint(tenant: Tenant) -> Endpoint:
    return endpoint_create(tenant_id=tenant.id, url="http://127.0.0.1:1/hooks")


def submit(api: Client, **headers: str) -> Any:
    body = json.dumps({"prompt": "a doctor", "n": 2})
    response = api.post(f"{API}/jobs", body, "application/json", headers=headers)
    assert response.status_code == 202
    return response


def test_submitting(api: Client, endpoint: Endpoint) -> None:
    with watched() as whole:
        submit(api)
        submit(api, **{"Idempotency-Key": "a"})
        submit(api, **{"Idempotency-Key": "a"})
    assert not whole, whole[0]


def test_submitting_under_every_quota(api: Client, tenant: Tenant) -> None:
    tenant.jobs_in_flight = tenant.pictures_per_day = 100
    tenant.save()
    body = json.dumps({"jobs": [{"prompt": "a doctor"}, {"prompt": "a nurse"}]})
    with watched() as whole:
        submit(api)
        assert api.post(f"{API}/jobs/batch", body, "application/json").json()["accepted"] == 2
    assert not whole, whole[0]


@pytest.mark.parametrize(
    "query",
    [
        "", "page_size=2", "status=queued", "status=queued&status=failed", "model=mini",
        "created_after=2026-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_listing_jobs(api: Client, tenant: Tenant, query: str) -> None:
    for _ in range(3):
        make_job(tenant)
    with watched() as whole:
        page = api.get(f"{API}/jobs?{query}").json()
        if page["next"]:
            assert api.get(page["next"]).status_code == 200
    assert not whole, whole[0]


def test_looking_at_a_job(client_of: Any) -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    api = client_of(job.tenant)
    with watched() as whole:
        for path in ("", "/pictures", "/decisions", "/appeals", "/pictures/0/reports"):
            assert api.get(f"{API}/jobs/{job.id}{path}").status_code == 200
        assert api.get(f"{API}/jobs/statistics").status_code == 200
    assert not whole, whole[0]


def test_contradicting_reporting_and_running_again(client_of: Any) -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    api, path = client_of(job.tenant), f"{API}/jobs/{job.id}"
    bodies = {"appeal": {"statement": "no"}, "pictures/0/reports": {"reason": "hate"}, "replay": {}}
    with watched() as whole:
        for route, body in bodies.items():
            answer = api.post(f"{path}/{route}", json.dumps(body), "application/json")
            assert answer.status_code < 300
        again = Job.objects.get(replay_of=job)
        assert api.get(f"{API}/jobs/{again.id}/replay").status_code == 200
        assert [*reports_waiting(), *appeals_waiting()]
    assert not whole, whole[0]


def test_comparing_a_replay(client_of: Any) -> None:
    job = judged_job(PictureAction.RELEASE)
    again = judged_job(PictureAction.BLOCK, tenant=job.tenant)
    Job.objects.filter(pk=again.pk).update(replay_of=job)
    with watched() as whole:
        answer = client_of(job.tenant).get(f"{API}/jobs/{again.id}/replay")
    assert answer.json()["identical"] is False
    assert not whole, whole[0]


def test_following_jobs() -> None:
    job = judged_job(PictureAction.RELEASE)
    waiting = make_job(job.tenant)
    with watched() as whole:
        assert len(jobs_look({job.id: -1, waiting.id: 0})) == 2
        assert places_look([waiting.id])[waiting.id].position >= 1
    assert not whole, whole[0]


def test_canceling_a_job(api: Client, tenant: Tenant, endpoint: Endpoint) -> None:
    job = make_job(tenant)
    with watched() as whole:
        assert api.post(f"{API}/jobs/{job.id}/cancel").status_code == 200
    assert Delivery.objects.filter(endpoint=endpoint).exists()
    assert not whole, whole[0]


def test_deliveries(api: Client, endpoint: Endpoint, tenant: Tenant) -> None:
    job = make_job(tenant)
    api.post(f"{API}/jobs/{job.id}/cancel")
    path = f"{API}/webhook-endpoints/{endpoint.id}"
    delivery = Delivery.objects.filter(endpoint=endpoint).latest("id")
    Delivery.objects.filter(pk=delivery.pk).update(status="failed", next_attempt_at=None)
    since = {"since": "2026-01-01T00:00:00Z"}
    with watched() as whole:
        for query in ("", "?status=failed", "?event_type=job.canceled"):
            assert api.get(f"{path}/deliveries{query}").status_code == 200
        assert api.get(f"{path}/deliveries/{delivery.id}").status_code == 200
        for body in ({"only_failed": True}, since):
            response = api.post(f"{path}/replay", json.dumps(body), "application/json")
            assert response.status_code == 202
        deliveries_dispatch()
    assert not whole, whole[0]


def test_keys(api: Client) -> None:
    with watched() as whole:
        assert api.get(f"{API}/api-keys").status_code == 200
    assert not whole, whole[0]


def test_dispatching_claiming_and_mending(tenant: Tenant) -> None:
    job = make_job(tenant)
    with watched() as whole:
        dispatch_once()
        reconcile()
    assert not whole, whole[0]
    run = StageRun.objects.get(job=job, state="ready")
    Job.objects.filter(pk=job.pk, admitted_at=None).update(admitted_at="2026-11-22T00:00:00Z")
    with watched() as whole:
        claim = stage_claim(stage_id=run.id, holder="test")
        assert claim is not None
        leases_renew([claim])
        stage_fail(claim=claim, error="for the test")
        reconcile()
        dispatch_once()
    assert not whole, whole[0]


def test_the_watch_sees_a_table_read_whole(tenant: Tenant) -> None:
    make_job(tenant)
    with watched() as whole:
        list(Job.objects.filter(explanation="none has an index"))
    assert len(whole) == 1
