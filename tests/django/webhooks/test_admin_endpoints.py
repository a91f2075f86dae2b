"""Endpoints in the admin: secrets rotated, tests sent, time ranges and failures replayed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Tenant
from factories import make_job
from review_cases import make_user
from webhooks.endpoints import endpoint_create, endpoint_disable
from webhooks.models import Delivery, Endpoint, Event, EventType
from webhooks.services import event_record

pytestmark = [pytest.mark.services, pytest.mark.django_db]

LIST = reverse("admin:webhooks_endpoint_changelist")
URL = "http://127.0.0.1:1/hooks"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user(is_superuser=True))
    return client


@pytest.fixture
def endpoint(tenant: Tenant) -> Endpoint:
    return endpoint_create(tenant_id=tenant.id, url=URL)


def act(client: Client, action: str, *endpoints: Endpoint, **fields: str) -> Any:
    chosen = [str(endpoint.pk) for endpoint in endpoints]
    return client.post(LIST, {"action": action, "_selected_action": chosen, **fields}, follow=True)


def told(tenant: Tenant, days_ago: float, status: str = "delivered") -> Event:
    event = event_record(
        tenant_id=tenant.id, job_id=make_job(tenant).id, type=EventType.JOB_FAILED, sequence=1,
        data={},
    )  # fmt: skip
    Event.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    event.deliveries.update(status=status, next_attempt_at=None)
    return event


def pending(*events: Event) -> list[bool]:
    return [event.deliveries.filter(status="pending").exists() for event in events]


def test_a_secret_is_rotated_and_shown_once(client: Client, endpoint: Endpoint) -> None:
    old = endpoint.secret
    response = act(client, "rotate", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.secret != old
    assert endpoint.previous_secret == old
    assert endpoint.secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    page = client.get(reverse("admin:webhooks_endpoint_change", args=[endpoint.pk]))
    assert endpoint.secret not in page.content.decode()
    other = endpoint_create(tenant_id=endpoint.tenant_id, url=URL)
    assert "Choose one endpoint" in act(client, "rotate", endpoint, other).content.decode()


def test_a_test_event_is_sent(client: Client, endpoint: Endpoint) -> None:
    assert "on its way" in act(client, "send_test", endpoint).content.decode()
    assert Delivery.objects.get(endpoint=endpoint).event.type == "endpoint.test"
    endpoint_disable(endpoint=endpoint, reason="test")
    assert "Not sent" in act(client, "send_test", endpoint).content.decode()


def test_the_events_of_a_time_range_are_sent_again(
    client: Client, tenant: Tenant, endpoint: Endpoint
) -> None:
    before, within, failed, after = (
        told(tenant, 9), told(tenant, 5), told(tenant, 4, "failed"), told(tenant, 1)
    )  # fmt: skip
    missed = told(tenant, 4)
    missed.deliveries.all().delete()
    asked = act(client, "replay_range", endpoint).content.decode()
    assert 'name="since"' in asked
    assert pending(before, within, failed, after) == [False] * 4, "nothing is sent yet"

    def moment(days_ago: float) -> str:
        return (timezone.now() - timedelta(days=days_ago)).strftime("%Y-%m-%d %H:%M:%S")

    wrong = {"apply": "yes", "since": moment(2), "until": moment(6)}
    assert "must be before" in act(client, "replay_range", endpoint, **wrong).content.decode()
    fields = {"apply": "yes", "since": moment(6), "until": moment(2)}
    assert "3 on the way again" in act(client, "replay_range", endpoint, **fields).content.decode()
    assert pending(before, within, failed, missed, after) == [False, True, True, True, False]
    again = act(client, "replay_range", endpoint, **fields).content.decode()
    assert "0 on the way again" in again, "once per id"


def test_all_that_failed_is_sent_again(client: Client, tenant: Tenant, endpoint: Endpoint) -> None:
    failed, delivered = told(tenant, 3, "failed"), told(tenant, 3)
    assert "1 on the way again" in act(client, "replay_failed", endpoint).content.decode()
    assert pending(failed, delivered) == [True, False]


def test_moderators_cannot(endpoint: Endpoint) -> None:
    client = Client()
    client.force_login(make_user(group="Moderators"))
    old = endpoint.secret
    assert act(client, "rotate", endpoint).status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.secret == old
