"""What is uploaded lies in quarantine before the transaction begins, and goes where no job came."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Tenant
from ethical_lens.results import PictureAction
from jobs import uploads
from jobs.models import Job
from jobs.storage import QUARANTINE, StorageUnavailable, objects_list
from review_cases import judged_job
from sent_pictures import data_url, harmless

pytestmark = [pytest.mark.services, pytest.mark.django_db]

URL = "/api/v1/moderations"


def send(api: Client, **headers: str) -> Any:
    body = {"pictures": [{"url": data_url(harmless())}]}
    return api.post(URL, json.dumps(body), "application/json", headers=headers)


def stored() -> set[str]:
    return {key for key, _ in objects_list(QUARANTINE)}


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many transactions are open at each upload from now on."""
    real, opened = uploads.sent_put, list[int]()

    def put(**given: Any) -> Any:
        opened.append(len(connection.savepoint_ids))
        return real(**given)

    monkeypatch.setattr(uploads, "sent_put", put)
    return opened


def test_no_transaction_is_open_while_it_is_stored(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = watched(monkeypatch)
    outside = len(connection.savepoint_ids)
    assert send(api, **{"Idempotency-Key": "once"}).status_code == 202
    assert opened == [outside]


def test_no_transaction_is_open_while_a_replay_stores_it_again(
    client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = judged_job(PictureAction.RELEASE)
    stored = uploads.sent_put(job_id=original.id, index=0, content=harmless())
    original.sent.create(index=0, key=stored.key, sha256=stored.sha256, size=stored.size)
    path, headers = f"/api/v1/jobs/{original.id}/replay", {"Idempotency-Key": "once"}
    api, opened = client_of(original.tenant), watched(monkeypatch)
    outside = len(connection.savepoint_ids)
    first, again = (api.post(path, headers=headers) for _ in range(2))
    assert (first.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert opened == [outside], "the repetition stores nothing"
    (picture,) = original.replays.get().sent.all()
    assert picture.sha256 == stored.sha256


def test_a_refused_upload_leaves_nothing(api: Client, tenant: Tenant) -> None:
    tenant.jobs_in_flight = 1
    tenant.save()
    assert send(api).status_code == 202
    before = stored()
    assert send(api).status_code == 429
    assert send(api, **{"Idempotency-Key": "refused"}).status_code == 429
    assert stored() == before


def test_a_repetition_stores_nothing_more(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = send(api, **{"Idempotency-Key": "twice"})
    before, opened = stored(), watched(monkeypatch)
    again = send(api, **{"Idempotency-Key": "twice"})
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    assert (stored(), opened) == (before, [])


def test_what_cannot_be_deleted_is_left_to_the_sweep(
    api: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.jobs_in_flight = 1
    tenant.save()
    send(api)
    before = stored()

    def away(key: str) -> None:
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(uploads, "object_delete", away)
    assert send(api).status_code == 429, "the refusal is what is told"
    (left,) = stored() - before
    assert f"left to the sweep, of a job that was not written: ['{left}']" in caplog.text


def test_a_store_that_is_away_makes_no_job(
    api: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**given: Any) -> None:
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(uploads, "sent_put", away)
    assert send(api).status_code == 503
    assert not Job.objects.filter(tenant=tenant).exists()
