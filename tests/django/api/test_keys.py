"""API keys through the API: made, listed, rotated, revoked, and never more than their maker."""

import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create
from factories import make_tenant

pytestmark = pytest.mark.services
in_database = pytest.mark.django_db

KEYS = "/api/v1/api-keys"
JOBS = "/api/v1/jobs"


def bearing(key: str, **options: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"}, **options)


def post(api: Client, path: str = "", body: Any = None) -> Any:
    return api.post(KEYS + path, json.dumps(body or {}), "application/json")


def make(api: Client, **changes: Any) -> Any:
    response = post(api, "", {"name": "web", "scopes": ["jobs:read"], **changes})
    assert response.status_code == 201, response.content
    return response.json()


def refused(response: Any) -> tuple[int, str, list[str]]:
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    return response.status_code, body["code"], [one["pointer"] for one in body.get("errors", [])]


@in_database
def test_a_key_is_made_and_its_secret_shown_once(api: Client, tenant: Tenant) -> None:
    response = post(api, "", {"name": "web", "scopes": ["jobs:read", "jobs:read"],
                              "allowed_networks": ["127.0.0.1", "2001:db8::/32"],
                              "expires_at": "2999-01-01T00:00:00Z"})  # fmt: skip
    body = response.json()
    assert response.status_code == 201
    assert (response["Location"], response["Cache-Control"]) == (body["urls"]["self"], "no-store")
    key = body.pop("key")
    row = APIKey.objects.get(pk=body["id"])
    assert (row.tenant, row.prefix) == (tenant, body["prefix"])
    assert body["scopes"] == ["jobs:read"]
    assert body["allowed_networks"] == ["127.0.0.1/32", "2001:db8::/32"]
    assert (body["state"], body["last_used_at"]) == ("valid", None)
    assert APIKey.objects.get(pk=body["made_by"]).name == "test"
    assert key.startswith(f"el_{row.prefix}_")
    stored = json.dumps(list(APIKey.objects.filter(pk=row.pk).values()), default=str)
    assert key.split("_", 2)[2] not in stored, "only the digest is kept"
    assert api.get(f"{KEYS}/{row.id}").json() == body
    listed = api.get(KEYS)
    assert listed.json()["results"][0] == body
    assert key.split("_", 2)[2] not in listed.content.decode()
    assert bearing(key).get(JOBS).status_code == 200
    assert refused(bearing(key).get(KEYS)) == (403, "insufficient_scope", [])


@in_database
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "nul \u0000"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["jobs:everything"]}, "/scopes/0"),
        ({"allowed_networks": ["10.0.0.1/8"]}, "/allowed_networks"),
        ({"allowed_networks": ["here"]}, "/allowed_networks"),
        ({"allowed_networks": ["::ffff:10.0.0.0/104"]}, "/allowed_networks"),
        ({"allowed_networks": ["10.0.0.0/8"] * 51}, "/allowed_networks"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, "/expires_at"),
        ({"requests_per_minute": 0}, "/requests_per_minute"),
        ({"jobs_in_flight": 2**31}, "/jobs_in_flight"),
        ({"priority_limit": 10}, "/priority_limit"),
        ({"tenant": "another"}, "/tenant"),
    ],
)
def test_what_is_refused_names_its_field(api: Client, change: Any, pointer: str) -> None:
    before = APIKey.objects.count()
    response = post(api, "", {"name": "web", "scopes": ["jobs:read"], **change})
    assert refused(response) == (422, "invalid_request", [pointer])
    assert APIKey.objects.count() == before


@in_database
def test_a_key_gives_no_more_than_it_has(tenant: Tenant) -> None:
    end = timezone.now() + timedelta(days=1)
    _, secret = api_key_create(
        tenant=tenant, name="narrow", scopes=[Scope.KEYS_WRITE, Scope.JOBS_READ],
        allowed_networks=["127.0.0.0/24"], expires_at=end,
    )  # fmt: skip
    api = bearing(secret)
    within = {"name": "k", "scopes": ["jobs:read"], "allowed_networks": ["127.0.0.7"],
              "expires_at": end.isoformat()}  # fmt: skip
    assert post(api, "", within).status_code == 201
    late = (end + timedelta(seconds=1)).isoformat()
    for change, pointer in (
        ({"scopes": ["jobs:read", "jobs:write"]}, "/scopes"),
        ({"scopes": ["keys:read"]}, "/scopes"),
        ({"expires_at": None}, "/expires_at"),
        ({"expires_at": late}, "/expires_at"),
        ({"allowed_networks": []}, "/allowed_networks"),
        ({"allowed_networks": ["127.0.0.7", "127.0.0.0/16"]}, "/allowed_networks"),
        ({"allowed_networks": ["::/0"]}, "/allowed_networks"),
    ):
        assert refused(post(api, "", within | change)) == (403, "beyond_own_rights", [pointer])


@in_database
@pytest.mark.parametrize("quota", ["jobs_in_flight", "priority_limit"])
def test_a_key_with_quotas_cannot_multiply_them(tenant: Tenant, quota: str) -> None:
    bound: Any = {quota: 5}
    row, secret = api_key_create(tenant=tenant, name="k", scopes=tuple(Scope), **bound)
    other, _ = api_key_create(tenant=tenant, name="other", scopes=[Scope.JOBS_READ])
    api = bearing(secret)
    body = {"name": "k", "scopes": ["jobs:read"], quota: 1}
    assert refused(post(api, "", body)) == (403, "beyond_own_rights", [])
    assert refused(post(api, f"/{other.id}/rotate")) == (403, "beyond_own_rights", [])
    assert post(api, f"/{row.id}/rotate").status_code == 200, "its own secret gives nothing new"


@in_database
def test_a_key_is_rotated_with_an_overlap(api: Client, tenant: Tenant) -> None:
    made = make(api, requests_per_minute=50, priority_limit=0)
    path = f"/{made['id']}/rotate"
    response = post(api, path, {"overlap_seconds": 60})
    rotated = response.json()
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert rotated["key"] != made["key"]
    unchanged = ("id", "prefix", "scopes", "requests_per_minute", "priority_limit")
    assert [rotated[name] for name in unchanged] == [made[name] for name in unchanged]
    for key in (made["key"], rotated["key"]):
        assert bearing(key).get(JOBS).status_code == 200
    APIKey.objects.filter(pk=made["id"]).update(previous_digest_ends_at=timezone.now())
    assert refused(bearing(made["key"]).get(JOBS)) == (401, "invalid_key", [])
    assert bearing(rotated["key"]).get(JOBS).status_code == 200
    at_once = post(api, path, {"overlap_seconds": 0}).json()
    assert at_once["previous_secret_ends_at"] is None
    assert bearing(rotated["key"]).get(JOBS).status_code == 401
    assert bearing(at_once["key"]).get(JOBS).status_code == 200
    assert post(api, path, {"overlap_seconds": 60.0}).status_code == 200, "60.0 is 60 in JSON"
    for wrong in (-1, 604_801, "60", None, True, 0.5, 1e400):
        assert refused(post(api, path, {"overlap_seconds": wrong}))[2] == ["/overlap_seconds"]


@in_database
def test_no_rotation_gives_more_than_the_rotating_key_has(tenant: Tenant) -> None:
    strong, _ = api_key_create(tenant=tenant, name="strong", scopes=tuple(Scope))
    weak, secret = api_key_create(tenant=tenant, name="weak", scopes=[Scope.KEYS_WRITE])
    api = bearing(secret)
    before = APIKey.objects.get(pk=strong.pk).digest
    assert refused(post(api, f"/{strong.id}/rotate")) == (403, "beyond_own_rights", ["/scopes"])
    assert APIKey.objects.get(pk=strong.pk).digest == before
    new = bearing(post(api, f"/{weak.id}/rotate").json()["key"])
    # The secret that is ending cannot make itself, or another key, last longer.
    assert refused(post(api, f"/{weak.id}/rotate"))[1] == "beyond_own_rights"
    body = {"name": "heir", "scopes": ["keys:write"]}
    assert refused(post(api, "", body)) == (403, "beyond_own_rights", ["/expires_at"])
    assert post(new, "", body).status_code == 201


@in_database
def test_a_key_is_revoked_for_good(api: Client) -> None:
    made = make(api)
    revoked = post(api, f"/{made['id']}/revoke").json()
    assert revoked["state"] == "revoked"
    assert post(api, f"/{made['id']}/revoke").json() == revoked, "repeating is harmless"
    assert refused(bearing(made["key"]).get(JOBS)) == (401, "invalid_key", [])
    assert refused(post(api, f"/{made['id']}/rotate")) == (409, "key_ended", [])


@in_database
def test_an_expired_key_lets_nobody_in(api: Client) -> None:
    made = make(api)
    APIKey.objects.filter(pk=made["id"]).update(expires_at=timezone.now())
    assert refused(bearing(made["key"]).get(JOBS)) == (401, "invalid_key", [])
    assert api.get(f"{KEYS}/{made['id']}").json()["state"] == "expired"
    assert refused(post(api, f"/{made['id']}/rotate")) == (409, "key_ended", [])


@in_database
def test_keys_of_other_tenants_are_not_there(api: Client, client_of: Callable[..., Client]) -> None:
    theirs = make(client_of(make_tenant()))
    assert api.get(f"{KEYS}/{theirs['id']}").status_code == 404
    for verb in ("rotate", "revoke"):
        assert refused(post(api, f"/{theirs['id']}/{verb}")) == (404, "not_found", [])
    assert bearing(theirs["key"]).get(JOBS).status_code == 200
    assert theirs["id"] not in api.get(KEYS).content.decode()


@in_database
def test_scopes_of_key_management(client_of: Callable[..., Client], tenant: Tenant) -> None:
    reader, writer = (client_of(tenant, scope) for scope in (Scope.KEYS_READ, Scope.KEYS_WRITE))
    assert reader.get(KEYS).status_code == 200
    assert post(reader, "", {"name": "k", "scopes": ["keys:read"]}).status_code == 403
    assert writer.get(KEYS).status_code == 403
    everything_else = [scope for scope in Scope if not scope.startswith("keys:")]
    other = client_of(tenant, *everything_else)
    assert other.get(KEYS).status_code == 403
    assert post(other, "", {"name": "k", "scopes": ["jobs:read"]}).status_code == 403


@in_database
def test_there_is_a_bound_of_keys(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_KEYS", 2)
    made = make(api)
    body = {"name": "k", "scopes": ["jobs:read"]}
    assert refused(post(api, "", body)) == (409, "too_many_keys", [])
    post(api, f"/{made['id']}/revoke")
    assert post(api, "", body).status_code == 201


@in_database
def test_a_key_may_be_bound_to_networks(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    _, secret = api_key_create(
        tenant=tenant, name="k", scopes=[Scope.JOBS_READ],
        allowed_networks=["192.0.2.0/24", "2001:db8::/32"],
    )  # fmt: skip

    def answer(address: str, **headers: str) -> Any:
        client = Client(
            REMOTE_ADDR=address, headers={"Authorization": f"Bearer {secret}", **headers}
        )
        return client.get(JOBS)

    for address in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"):
        assert answer(address).status_code == 200, address
    with caplog.at_level(logging.WARNING):
        for address in ("198.51.100.7", "2001:db9::7", ""):
            assert refused(answer(address)) == (403, "address_not_allowed", []), address
    assert "198.51.100.7" in caplog.text
    assert secret.split("_", 2)[2] not in caplog.text
    forged = {"X-Forwarded-For": "192.0.2.7"}
    assert answer("198.51.100.7", **forged).status_code == 403, "nobody vouches for the header"
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"trusted_proxies": ("198.51.100.0/24",)}
    )
    assert answer("198.51.100.7", **forged).status_code == 200
    twice = {"X-Forwarded-For": "192.0.2.7, 203.0.113.9"}
    assert answer("198.51.100.7", **twice).status_code == 403, "what the client wrote itself"


@in_database
def test_last_use_is_written_once_a_minute(tenant: Tenant) -> None:
    row, secret = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])

    def last_use() -> Any:
        assert bearing(secret).get(JOBS).status_code == 200
        return APIKey.objects.get(pk=row.pk).last_used_at

    first = last_use()
    assert first is not None
    assert last_use() == first
    before = timezone.now() - timedelta(seconds=61)
    APIKey.objects.filter(pk=row.pk).update(last_used_at=before)
    assert last_use() > first


@pytest.mark.usefixtures("committed")
def test_of_many_at_once_one_writes_the_last_use() -> None:
    row, secret = api_key_create(tenant=make_tenant(), name="k", scopes=[Scope.JOBS_READ])
    api, start = bearing(secret), threading.Barrier(10)
    seen: list[Any] = []

    def run() -> None:
        start.wait()
        try:
            assert api.get(JOBS).status_code == 200
            seen.append(APIKey.objects.get(pk=row.pk).last_used_at)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 10
    assert len(set(seen)) == 1, "written once, and never again in that minute"
