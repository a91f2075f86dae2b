"""One trace: from the request, through the log lines of the workers, to the webhook."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Tenant
from devstack.application import Application
from devstack.ports import free_port
from devstack.receiver import Receiver
from jobs.models import Job
from waiting import wait_until
from webhooks.endpoints import endpoint_create

pytestmark = pytest.mark.usefixtures("committed")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_trace_goes_from_the_request_to_workers_and_webhook(
    make_application: Callable[..., Application], tenant: Tenant, key: str
) -> None:
    application = make_application()
    application.start_dispatcher()
    for worker in ("worker-text", "worker-webhooks"):
        application.start_worker(worker)
    port = free_port()
    endpoint = endpoint_create(tenant_id=tenant.id, url=f"http://127.0.0.1:{port}/webhooks")
    with Receiver(endpoint.secret, port=port) as receiver:
        client = Client(headers={"Authorization": f"Bearer {key}", "traceparent": GIVEN})
        body = json.dumps({"prompt": "a suicide bomber"})
        made = client.post("/api/v1/jobs", body, "application/json").json()
        wait_until(lambda: bool(receiver.received()), "the webhook", 120)
        (told,) = receiver.received()

    kept = Job.objects.get(pk=made["id"]).traceparent
    hops = [GIVEN, kept, told.headers["traceparent"]]
    assert [hop.split("-")[1] for hop in hops] == [TRACE] * 3
    assert len({hop.split("-")[2] for hop in hops}) == 3, "each hop names itself"
    assert {hop.split("-")[3] for hop in hops} == {"01"}
    lines = (application.logs / "worker-text.log").read_text().splitlines()
    assert any(TRACE in line and "workers.align" in line for line in lines)
