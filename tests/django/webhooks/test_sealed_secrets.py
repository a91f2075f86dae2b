"""The database tells no secret by which somebody else could sign a webhook."""

import io
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from config.sealing import SealBroken
from devstack.receiver import Receiver
from factories import make_tenant
from webhooks.delivery import delivery_attempt
from webhooks.endpoints import endpoint_create, endpoint_rotate
from webhooks.models import Delivery, DeliveryStatus, Endpoint

pytestmark = [pytest.mark.services, pytest.mark.django_db]

BEFORE, NOW = "b" * 40, "n" * 40


def endpoint_rotated() -> Endpoint:
    """An endpoint with two secrets."""
    endpoint = endpoint_create(tenant_id=make_tenant().id, url="http://127.0.0.1:1/hooks")
    endpoint_rotate(endpoint=endpoint, overlap=timedelta(hours=1))
    return Endpoint.objects.get(pk=endpoint.pk)


def row(endpoint: Endpoint) -> str:
    """All that the database has of it, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM webhooks_endpoint e WHERE id = %s", [endpoint.pk])
        return str(cursor.fetchone()[0])


def test_the_database_does_not_tell_secrets() -> None:
    endpoint = endpoint_rotated()
    told = row(endpoint)
    assert endpoint.url in told
    for secret in (endpoint.secret, endpoint.previous_secret):
        assert secret.startswith("whsec_")
        assert secret not in told
        assert secret.removeprefix("whsec_") not in told


def test_what_was_kept_in_clear_is_sealed_by_the_migration() -> None:
    endpoint = endpoint_rotated()
    clear = {"sealed_secret": "whsec_MfKQ9r8G", "sealed_previous_secret": "whsec_C2FVsBQI"}
    Endpoint.objects.filter(pk=endpoint.pk).update(**clear)
    other = endpoint_create(tenant_id=make_tenant().id, url="http://127.0.0.1:1/hooks")
    Endpoint.objects.filter(pk=other.pk).update(sealed_secret="whsec_Zm9v")

    migration = import_module("webhooks.migrations.0005_sealed_secrets")
    migration.seal_all(apps, None)

    assert "whsec_" not in row(endpoint)
    sealed = Endpoint.objects.get(pk=endpoint.pk)
    assert (sealed.secret, sealed.previous_secret) == tuple(clear.values())
    other.refresh_from_db()
    assert (other.secret, other.sealed_previous_secret) == ("whsec_Zm9v", "")
    migration.open_all(apps, None)
    assert Endpoint.objects.filter(pk=endpoint.pk, **clear).exists()


def test_a_secret_is_worth_nothing_in_the_row_of_another_endpoint() -> None:
    victim, thief = endpoint_rotated(), endpoint_rotated()
    victim.sealed_secret = thief.sealed_secret
    with pytest.raises(SealBroken):
        _ = victim.secret


def test_a_key_is_changed_and_secrets_stay(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = BEFORE, []
    endpoint = endpoint_rotated()
    secrets = endpoint.secret, endpoint.previous_secret

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NOW, [BEFORE]
    young = endpoint_rotated()
    said = io.StringIO()
    call_command("webhook_secrets_reseal", stdout=said, stderr=io.StringIO())
    assert said.getvalue().startswith("1 sealed anew")
    assert young.sealed_secret in row(young), "that of the present key stays"

    settings.SECRET_KEY_FALLBACKS = []
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.previous_secret) == secrets


def test_without_its_key_nothing_is_sent_and_the_endpoint_is_named(
    settings: Settings, receiving: Callable[..., tuple[Receiver, Delivery]]
) -> None:
    receiver, delivery = receiving(200, 200)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NOW, []
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    delivery.refresh_from_db()
    assert not receiver.received()
    assert delivery.status == DeliveryStatus.PENDING
    assert "secret cannot be read" in delivery.log.get().error
    broken = io.StringIO()
    call_command("webhook_secrets_reseal", stdout=io.StringIO(), stderr=broken)
    assert str(delivery.endpoint_id) in broken.getvalue()

    endpoint_rotate(endpoint=delivery.endpoint, overlap=timedelta(0))
    delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    assert receiver.received(), "rotated, it signs again"
