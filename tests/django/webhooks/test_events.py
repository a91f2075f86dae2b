"""An event becomes one delivery per endpoint that wants it."""

import base64

import pytest
from django.db import IntegrityError, transaction

from factories import make_job, make_tenant
from jobs.ending import job_end, job_hold
from jobs.states import JobStatus
from webhooks.endpoints import endpoint_create
from webhooks.errors import WebhookURLRefused
from webhooks.models import Delivery, Endpoint, Event, EventType
from webhooks.services import event_record

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def test_an_event_goes_to_each_endpoint_that_wants_it() -> None:
    tenant, other = make_tenant(), make_tenant()

    def make(path: str, *types: EventType) -> Endpoint:
        return endpoint_create(
            tenant_id=tenant.id, url=f"http://127.0.0.1:1/{path}", event_types=types
        )

    everything = make("all")
    wanted = make("wanted", EventType.JOB_BLOCKED, EventType.JOB_FAILED)
    make("unwanted", EventType.JOB_SUCCEEDED)
    Endpoint.objects.filter(pk=make("inactive").pk).update(is_active=False)
    endpoint_create(tenant_id=other.id, url="http://127.0.0.1:1/other")

    job = make_job(tenant)
    event = event_record(
        tenant_id=tenant.id,
        job_id=job.id,
        type=EventType.JOB_BLOCKED,
        sequence=1,
        data={"id": str(job.id)},
    )
    assert {delivery.endpoint_id for delivery in event.deliveries.all()} == {
        everything.id,
        wanted.id,
    }
    assert {delivery.status for delivery in event.deliveries.all()} == {"pending"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(event=event, endpoint=everything, next_attempt_at=event.created_at)


def test_events_of_a_job_are_counted_and_its_end_is_told_once() -> None:
    tenant = make_tenant()
    job = make_job(tenant)
    with transaction.atomic():
        job_hold(job=job, reason="test", explanation="test")
        job_end(job=job, status=JobStatus.SUCCEEDED, reason="test", explanation="test")
    told = Event.objects.filter(job=job).order_by("sequence")
    assert [(event.sequence, event.type) for event in told] == [
        (1, "job.needs_review"),
        (2, "job.succeeded"),
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        event_record(
            tenant_id=tenant.id, job_id=job.id, type=EventType.JOB_FAILED, sequence=3, data={}
        )


def test_each_endpoint_gets_a_secret_of_its_own() -> None:
    tenant = make_tenant()
    secrets = {
        endpoint_create(tenant_id=tenant.id, url="http://127.0.0.1:1/").secret for _ in range(3)
    }
    assert len(secrets) == 3
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_an_endpoint_inside_is_refused() -> None:
    tenant = make_tenant()
    for url in ("https://10.0.0.1/", "http://169.254.169.254/latest/meta-data", "https://[::1]/"):
        with pytest.raises(WebhookURLRefused, match="not public"):
            endpoint_create(tenant_id=tenant.id, url=url)
    assert not Endpoint.objects.filter(tenant=tenant).exists()
