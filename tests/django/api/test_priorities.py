"""The priority of a job is within what its key and its tenant may."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create
from jobs.models import Job

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def post(api: Client, **fields: Any) -> Any:
    body = {"prompt": "a doctor"} | fields
    return api.post("/api/v1/jobs", json.dumps(body), "application/json")


@pytest.mark.parametrize(
    ("of_tenant", "of_key", "highest"), [(None, None, 9), (7, None, 7), (7, 3, 3), (2, 8, 2)]
)
def test_the_narrower_bound_holds(
    tenant: Tenant, of_tenant: int | None, of_key: int | None, highest: int
) -> None:
    tenant.priority_limit = of_tenant
    tenant.save()
    _, key = api_key_create(tenant=tenant, name="test", scopes=tuple(Scope), priority_limit=of_key)
    api = Client(headers={"Authorization": f"Bearer {key}"})
    assert post(api, priority=highest).json()["priority"] == highest
    assert post(api).json()["priority"] == min(5, highest)
    if highest < 9:
        refused = post(api, priority=highest + 1)
        assert (refused.status_code, refused.json()["code"]) == (403, "priority_not_allowed")
        assert refused.json()["errors"] == [
            {"pointer": "/priority", "detail": f"at most {highest}"}
        ]
        assert "Retry-After" not in refused
    assert Job.objects.filter(tenant=tenant, priority__gt=highest).count() == 0
    assert APIKey.objects.get(tenant=tenant).priority_limit == of_key


@pytest.mark.parametrize("priority", [-1, 10, "5", 1.5])
def test_what_is_no_priority(api: Client, priority: Any) -> None:
    response = post(api, priority=priority)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/priority"
