"""Keys in the admin: bound to networks, rotated one at a time, shown once."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.errors import InvalidKey
from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_authenticate, api_key_create, api_key_revoke
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

LIST = reverse("admin:accounts_apikey_changelist")
ADD = reverse("admin:accounts_apikey_add")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user(is_superuser=True))
    return client


def rotate(client: Client, *keys: APIKey) -> Any:
    body = {"action": "rotate", "_selected_action": [str(key.pk) for key in keys]}
    return client.post(LIST, body, follow=True)


def test_a_key_is_bound_to_networks(client: Client, tenant: Tenant) -> None:
    form = {"tenant": tenant.pk, "name": "web", "scopes": ["keys:read"],
            "allowed_networks": "192.0.2.7, 2001:db8::/32"}  # fmt: skip
    response = client.post(ADD, form)
    row = api_key_authenticate(response.context["key"])
    assert row.allowed_networks == ["192.0.2.7/32", "2001:db8::/32"]
    page = client.get(reverse("admin:accounts_apikey_change", args=[row.pk])).content.decode()
    assert "2001:db8::/32" in page
    assert row.digest not in page
    refused = client.post(ADD, form | {"allowed_networks": "192.0.2.7/24"})
    assert "has host bits set" in refused.content.decode()


def test_a_key_is_rotated_and_shown_once(client: Client, tenant: Tenant) -> None:
    row, old = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    response = rotate(client, row)
    new = response.context["key"]
    assert new in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    for key in (old, new):
        assert api_key_authenticate(key) == row
    other, _ = api_key_create(tenant=tenant, name="k", scopes=[Scope.JOBS_READ])
    assert "Choose one key" in rotate(client, row, other).content.decode()
    api_key_revoke(key=row)
    assert "Not rotated" in rotate(client, row).content.decode()
    with pytest.raises(InvalidKey):
        api_key_authenticate(new)


def test_too_many_keys_are_told(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_KEYS", 0)
    form = {"tenant": tenant.pk, "name": "web", "scopes": ["keys:read"]}
    response = client.post(ADD, form, follow=True)
    assert "at most 0 valid keys" in response.content.decode()
    assert not APIKey.objects.filter(tenant=tenant).exists()
