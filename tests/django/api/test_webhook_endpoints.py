"""The API of webhook endpoints: every route, what it refuses, and whose it is."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Scope, Tenant
from factories import make_job, make_tenant
from webhooks import endpoints
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, EventType
from webhooks.services import event_record

pytestmark = [pytest.mark.services, pytest.mark.django_db]

ENDPOINTS = "/api/v1/webhook-endpoints"
URL = "http://127.0.0.1:1/hooks"


def send(api: Client, path: str, body: Any = None, method: str = "POST") -> Any:
    return api.generic(method, ENDPOINTS + path, json.dumps(body or {}), "application/json")


def create(api: Client, **changes: Any) -> Any:
    response = send(api, "", {"url": URL, **changes})
    assert response.status_code == 201, response.content
    return response.json()


def failed_delivery(tenant: Tenant, endpoint_id: str) -> Delivery:
    event_record(
        tenant_id=tenant.id, job_id=make_job(tenant).id, type=EventType.JOB_FAILED, sequence=1,
        data={},
    )  # fmt: skip
    delivery = Delivery.objects.filter(endpoint=endpoint_id).latest("id")
    Delivery.objects.filter(pk=delivery.pk).update(
        status="failed", next_attempt_at=None, attempts=1
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, started_at=timezone.now(), duration=timedelta(seconds=1.5),
        status_code=500, answer="sorry",
    )  # fmt: skip
    return delivery


def test_an_endpoint_is_made_and_its_secret_shown_once(api: Client, tenant: Tenant) -> None:
    response = send(
        api, "", {"url": URL, "event_types": ["job.failed"], "description": "the first"}
    )
    body = response.json()
    endpoint = Endpoint.objects.get(pk=body["id"])
    assert response.status_code == 201
    assert response["Location"] == body["urls"]["self"]
    assert response["Cache-Control"] == "no-store"
    assert (endpoint.tenant, endpoint.secret) == (tenant, body.pop("secret"))
    assert body["event_types"] == ["job.failed"]
    assert body["is_active"]
    assert api.get(f"{ENDPOINTS}/{endpoint.id}").json() == body
    listed = api.get(ENDPOINTS)
    assert listed.json()["results"] == [body]
    assert endpoint.secret not in listed.content.decode()
    assert send(api, f"/{endpoint.pk}/rotate")["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "ftp://example.org/"}, "/url"),
        ({"url": "https://example.org/\u0000"}, "/url"),
        ({"url": "https://exa mple.org/"}, "/url"),
        ({"url": URL, "event_types": ["job.unheard"]}, "/event_types/0"),
        ({"url": URL, "description": "x" * 201}, "/description"),
        ({"url": URL, "description": "nul \u0000"}, "/description"),
        ({"url": URL, "secret": "mine"}, "/secret"),
    ],
)
def test_what_is_refused_names_its_field(api: Client, body: Any, pointer: str) -> None:
    response = send(api, "", body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Endpoint.objects.exists()


def test_an_endpoint_is_changed_field_by_field(api: Client) -> None:
    made = create(api, event_types=["job.failed"], description="old")
    path = f"/{made['id']}"

    def change(**changes: Any) -> Any:
        response = send(api, path, changes, "PATCH")
        assert response.status_code == 200, response.content
        return response.json()

    assert change()["description"] == "old"
    assert change(description="")["description"] == ""
    assert change(url=URL + "/2")["url"] == URL + "/2"
    assert change(event_types=[])["event_types"] == []
    disabled = change(is_active=False)
    assert (disabled["is_active"], disabled["disabled_reason"]) == (
        False, "disabled through the API",
    )  # fmt: skip
    enabled = change(is_active=True)
    assert (enabled["is_active"], enabled["disabled_reason"]) == (True, "")
    for wrong in ({"url": None}, {"is_active": None}, {"url": "https://127.1.1.1.nip/\u0001"}):
        assert send(api, path, wrong, "PATCH").status_code == 422, wrong
    refused = send(api, path, {"url": "https://192.168.0.1/", "description": "new"}, "PATCH")
    assert refused.status_code == 422
    assert api.get(f"{ENDPOINTS}{path}").json() == enabled


def test_a_secret_is_rotated(api: Client) -> None:
    made = create(api)
    path = f"/{made['id']}/rotate"
    rotated = send(api, path, {"overlap_seconds": 60}).json()
    endpoint = Endpoint.objects.get(pk=made["id"])
    assert endpoint.secret == rotated["secret"] != made["secret"]
    assert endpoint.previous_secret == made["secret"]
    assert rotated["previous_secret_ends_at"] is not None
    assert send(api, path, {"overlap_seconds": 0}).json()["previous_secret_ends_at"] is None
    for wrong in (-1, 604_801, "60", None):
        response = send(api, path, {"overlap_seconds": wrong})
        assert response.json()["errors"][0]["pointer"] == "/overlap_seconds"


def test_a_test_event_is_on_its_way(api: Client) -> None:
    made = create(api, event_types=["job.failed"])
    response = send(api, f"/{made['id']}/test")
    assert response.status_code == 202
    body = response.json()
    assert (body["event_type"], body["status"], body["job"]) == ("endpoint.test", "pending", None)
    assert Delivery.objects.get(pk=body["id"]).event_id.hex == body["webhook_id"].replace("-", "")


def test_deliveries_with_their_attempts(api: Client, tenant: Tenant) -> None:
    made = create(api)
    delivery = failed_delivery(tenant, made["id"])
    send(api, f"/{made['id']}/test")
    path = f"{ENDPOINTS}/{made['id']}/deliveries"

    def found(query: str = "") -> list[str]:
        return [one["event_type"] for one in api.get(f"{path}?{query}").json()["results"]]

    assert found() == ["endpoint.test", "job.failed"]
    assert found("status=failed") == ["job.failed"]
    assert found("event_type=endpoint.test") == ["endpoint.test"]
    assert found("created_after=2999-01-01T00:00:00Z") == []
    assert api.get(f"{path}?status=lost").status_code == 422
    body = api.get(f"{path}/{delivery.id}").json()
    assert body["webhook_id"] == str(delivery.event_id)
    (attempt,) = body["log"]
    assert (attempt["status_code"], attempt["seconds"], attempt["answer"]) == (500, 1.5, "sorry")


def test_one_is_replayed_and_all_that_failed_are(api: Client, tenant: Tenant) -> None:
    made = create(api)
    first, second = (failed_delivery(tenant, made["id"]) for _ in range(2))
    response = send(api, f"/{made['id']}/deliveries/{first.id}/replay")
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    replay = f"/{made['id']}/replay"
    assert send(api, replay, {"only_failed": True}).json() == {"replayed": 1}
    assert send(api, replay, {"only_failed": True}).json() == {"replayed": 0}
    second.refresh_from_db()
    assert second.status == "pending"
    for wrong in ({}, {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
                  {"since": "yesterday"}):  # fmt: skip
        assert send(api, replay, wrong).status_code == 422, wrong


def test_an_inactive_endpoint_says_so(api: Client, tenant: Tenant) -> None:
    made = create(api)
    delivery = failed_delivery(tenant, made["id"])
    send(api, f"/{made['id']}", {"is_active": False}, "PATCH")
    for path, body in (
        ("/test", {}), (f"/deliveries/{delivery.id}/replay", {}), ("/replay", {"only_failed": True})
    ):  # fmt: skip
        response = send(api, f"/{made['id']}{path}", body)
        assert (response.status_code, response.json()["code"]) == (409, "endpoint_inactive"), path


def test_there_is_a_bound_of_endpoints(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1)
    create(api)
    response = send(api, "", {"url": URL})
    assert (response.status_code, response.json()["code"]) == (409, "too_many_endpoints")


def test_another_tenants_endpoint_is_not_there(
    api: Client, client_of: Callable[..., Client]
) -> None:
    stranger = make_tenant()
    theirs = create(client_of(stranger))
    delivery = failed_delivery(stranger, theirs["id"])
    mine = create(api)
    before = Endpoint.objects.values().get(pk=theirs["id"])
    tries = [
        ("GET", "", None), ("PATCH", "", {"is_active": False}), ("POST", "/rotate", None),
        ("POST", "/test", None), ("GET", "/deliveries", None),
        ("POST", "/replay", {"only_failed": True}), ("GET", f"/deliveries/{delivery.id}", None),
        ("POST", f"/deliveries/{delivery.id}/replay", None),
    ]  # fmt: skip
    for method, path, body in tries:
        response = send(api, f"/{theirs['id']}{path}", body, method)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), path
    for method, path, body in tries[-2:]:
        assert send(api, f"/{mine['id']}{path}", body, method).status_code == 404
    assert Endpoint.objects.values().get(pk=theirs["id"]) == before
    assert [one["id"] for one in api.get(ENDPOINTS).json()["results"]] == [mine["id"]]
    delivery.refresh_from_db()
    assert delivery.status == "failed"


def test_scopes(client_of: Callable[..., Client], tenant: Tenant) -> None:
    reader = client_of(tenant, Scope.WEBHOOKS_READ)
    assert reader.get(ENDPOINTS).status_code == 200
    assert send(reader, "", {"url": URL}).status_code == 403
    jobs = client_of(tenant, Scope.JOBS_READ, Scope.JOBS_WRITE)
    assert jobs.get(ENDPOINTS).json()["code"] == "insufficient_scope"
