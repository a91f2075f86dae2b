"""Receivers that hang delay no other tenant: dispatcher and webhooks worker for real."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from django.conf import settings

from devstack.application import Application
from devstack.ports import free_port
from devstack.receiver import Answer, Receiver
from factories import make_job, make_tenant
from jobs.services import job_cancel
from waiting import wait_until
from webhooks.endpoints import MOST_ENDPOINTS, endpoint_create
from webhooks.models import Endpoint

pytestmark = pytest.mark.usefixtures("committed")

HANGING = 40
BOUND = 4


def endpoint_at(port: int) -> Endpoint:
    return endpoint_create(tenant_id=make_tenant().id, url=f"http://127.0.0.1:{port}/webhooks")


@pytest.fixture(scope="module", autouse=True)
def delivering(make_application: Callable[..., Application]) -> None:
    """Dispatcher and worker, with time for receivers to hang."""
    application = make_application(WEBHOOK_TIMEOUT_SECONDS="30")
    application.start_dispatcher()
    application.start_worker("worker-webhooks")


def test_a_receiver_that_hangs_delays_no_other_tenant() -> None:
    dead, alive = free_port(), free_port()
    hanging, prompt = endpoint_at(dead), endpoint_at(alive)
    with (
        Receiver(hanging.secret, port=dead, answer=Answer(200, delay=60)) as black_hole,
        Receiver(prompt.secret, port=alive) as receiver,
    ):
        for _ in range(HANGING):
            job_cancel(job_id=make_job(hanging.tenant).id)
        wait_until(lambda: len(black_hole.received()) == BOUND, "the places to be taken", 120)
        began = time.monotonic()
        for _ in range(20):
            job_cancel(job_id=make_job(prompt.tenant).id)
        wait_until(lambda: len(receiver.received()) == 20, "the other tenant's webhooks", 25)
        taken = time.monotonic() - began
        assert len(black_hole.received()) == BOUND, "nothing more was sent to it meanwhile"
    assert all(one.verified for one in receiver.received())
    assert len({one.id for one in receiver.received()}) == 20
    assert taken < 25, "before the first time-out of the other"


def test_all_endpoints_of_a_tenant_that_hang_delay_no_other_tenant() -> None:
    """As many endpoints as a tenant may have, with more due than the worker has threads."""
    tenant, alive = make_tenant(), free_port()
    with ExitStack() as stack:
        hanging = []
        for _ in range(MOST_ENDPOINTS):
            port = free_port()
            url = f"http://127.0.0.1:{port}/webhooks"
            secret = endpoint_create(tenant_id=tenant.id, url=url).secret
            hanging.append(
                stack.enter_context(Receiver(secret, port=port, answer=Answer(200, delay=60)))
            )
        prompt = endpoint_at(alive)
        receiver = stack.enter_context(Receiver(prompt.secret, port=alive))
        for _ in range(2):
            job_cancel(job_id=make_job(tenant).id)

        def held() -> int:
            return sum(len(one.received()) for one in hanging)

        bound = settings.ENVIRONMENT.webhook_tenant_concurrency
        wait_until(lambda: held() == bound, "the tenant's places to be taken", 120)
        began = time.monotonic()
        for _ in range(10):
            job_cancel(job_id=make_job(prompt.tenant).id)
        wait_until(lambda: len(receiver.received()) == 10, "the other tenant's webhooks", 25)
        assert time.monotonic() - began < 25, "before the first time-out of the others"
        assert held() == bound, "nothing more was sent to them meanwhile"
    assert all(one.verified for one in receiver.received())
