"""So many deliveries of an endpoint are under way at once, and no more."""

import json
import threading

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from devstack.ports import free_port
from devstack.receiver import Receiver
from factories import make_job, make_tenant
from webhooks import dispatch
from webhooks.delivery import delivery_attempt
from webhooks.dispatch import deliveries_dispatch
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery, DeliveryStatus, Endpoint, EventType
from webhooks.services import event_record

pytestmark = pytest.mark.services

BOUND = 4
TENANT_BOUND = 8
TEN = [f"http://127.0.0.1:1/{number}" for number in range(10)]


def endpoints_with(events: int, urls: list[str]) -> list[Endpoint]:
    """Of one tenant, and a delivery of each event to each of them."""
    tenant = make_tenant()
    endpoints = [endpoint_create(tenant_id=tenant.id, url=url) for url in urls]
    for _ in range(events):
        event_record(
            tenant_id=tenant.id, job_id=make_job(tenant).id, type=EventType.JOB_FAILED,
            sequence=1, data={},
        )  # fmt: skip
    return endpoints


def endpoint_with(events: int, url: str = "http://127.0.0.1:1/") -> Endpoint:
    return endpoints_with(events, [url])[0]


def under_way(endpoint: Endpoint) -> int:
    return endpoint.deliveries.filter(under_way=True, next_attempt_at__gt=timezone.now()).count()


def dispatch_all() -> None:
    while deliveries_dispatch():
        pass


@pytest.mark.django_db
def test_no_more_than_the_bound_are_sent_and_others_do_not_wait() -> None:
    crowded, other = endpoint_with(10), endpoint_with(1)
    dispatch_all()
    assert settings.ENVIRONMENT.webhook_endpoint_concurrency == BOUND
    assert (under_way(crowded), under_way(other)) == (BOUND, 1)
    with Redis.from_url(settings.ENVIRONMENT.redis_url) as redis:
        waiting = [
            json.loads(raw)["headers"]["argsrepr"] for raw in redis.lrange("webhooks", 0, -1)
        ]
    ids = [str(pk) for pk in crowded.deliveries.values_list("pk", flat=True)]
    assert sum(any(pk in message for pk in ids) for message in waiting) == BOUND


@pytest.mark.django_db
def test_an_endpoint_that_fails_has_one_place_until_it_answers() -> None:
    port = free_port()
    endpoint = endpoint_with(10, f"http://127.0.0.1:{port}/")
    with Receiver(endpoint.secret, port=port, answers=[500]):
        dispatch_all()
        first, second, *others = endpoint.deliveries.filter(under_way=True)
        delivery_attempt(delivery_id=first.id, token=first.token)
        endpoint.refresh_from_db()
        assert endpoint.failing_since is not None
        assert deliveries_dispatch() == 0
        for delivery in others:
            Delivery.objects.filter(pk=delivery.pk).update(
                under_way=False, status=DeliveryStatus.FAILED, next_attempt_at=None
            )
        assert deliveries_dispatch() == 0, "one is under way still"
        delivery_attempt(delivery_id=second.id, token=second.token)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None
    assert deliveries_dispatch() == BOUND


@pytest.mark.django_db
def test_endpoints_of_one_tenant_that_hang_leave_places_for_others() -> None:
    hanging = endpoints_with(5, TEN)
    dispatch_all()
    other = endpoint_with(1)
    dispatch_all()
    assert settings.ENVIRONMENT.webhook_tenant_concurrency == TENANT_BOUND
    assert sum(map(under_way, hanging)) == TENANT_BOUND
    assert under_way(other) == 1
    with Redis.from_url(settings.ENVIRONMENT.redis_url) as redis:
        waiting = [
            json.loads(raw)["headers"]["argsrepr"] for raw in redis.lrange("webhooks", 0, -1)
        ]
    of_them = [
        str(pk)
        for endpoint in hanging
        for pk in endpoint.deliveries.filter(under_way=True).values_list("pk", flat=True)
    ]
    assert sum(any(pk in message for pk in of_them) for message in waiting) == TENANT_BOUND


@pytest.mark.django_db
def test_all_failing_endpoints_of_a_tenant_have_two_places_and_the_others_theirs() -> None:
    endpoints = endpoints_with(5, TEN)
    failing, answering = endpoints[:9], endpoints[9]
    Endpoint.objects.filter(pk__in=[endpoint.pk for endpoint in failing]).update(
        failing_since=timezone.now()
    )
    dispatch_all()
    assert sum(map(under_way, failing)) == dispatch.TENANT_FAILING
    assert under_way(answering) == BOUND


@pytest.mark.django_db
def test_tenants_take_turns_where_more_is_due_than_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "BATCH", 4)
    crowded, other = endpoints_with(5, TEN), endpoint_with(2)
    deliveries_dispatch()
    assert (sum(map(under_way, crowded)), under_way(other)) == (2, 2)


@pytest.mark.django_db
def test_a_lost_message_gives_its_place_back() -> None:
    endpoint = endpoint_with(10)
    dispatch_all()
    lost = set(endpoint.deliveries.filter(under_way=True).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=lost).update(next_attempt_at=timezone.now())
    dispatch_all()
    assert under_way(endpoint) == BOUND


@pytest.mark.django_db
def test_deliveries_of_an_inactive_endpoint_end_without_being_sent() -> None:
    endpoint = endpoint_with(10)
    Endpoint.objects.filter(pk=endpoint.pk).update(is_active=False)
    dispatch_all()
    for delivery in endpoint.deliveries.all():
        delivery_attempt(delivery_id=delivery.id, token=delivery.token)
    assert set(endpoint.deliveries.values_list("status", "under_way", "attempts")) == {
        ("failed", False, 0)
    }


@pytest.mark.usefixtures("committed")
def test_two_dispatchers_at_once_keep_the_bound() -> None:
    endpoint = endpoint_with(20)
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        try:
            for _ in range(5):
                deliveries_dispatch()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert under_way(endpoint) == BOUND
    endpoint.deliveries.update(status=DeliveryStatus.FAILED, under_way=False, next_attempt_at=None)


@pytest.mark.django_db
def test_the_look_up_reads_no_table_of_deliveries_whole() -> None:
    for _ in range(20):  # of a few rows alone any index is as good
        endpoint_with(20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery, webhooks_endpoint")
        cursor.execute("SET LOCAL enable_seqscan = off")
        parameters = {
            "margin": 60, "bound": BOUND, "tenant_bound": 8, "tenant_failing": 2,
            "batch": dispatch.BATCH,
        }  # fmt: skip
        cursor.execute("EXPLAIN " + dispatch._DUE, parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on webhooks_delivery" not in plan
    assert plan.count("delivery_due_of_endpoint") == 2, plan
