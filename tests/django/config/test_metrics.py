"""`/metrics`: closed unless opened, true to the rows, and as cheap with many rows as with few."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from desk.models import ReviewItem
from ethical_lens.results import PictureAction
from factories import make_job
from jobs.models import Outbox, StageRun, Worker
from review_cases import judged_job, reviewed_picture
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery

pytestmark = [pytest.mark.services, pytest.mark.django_db]

TOKEN = "t" * 32
Samples = dict[tuple[str, ...], float]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**values: object) -> None:
        changed = settings.ENVIRONMENT.model_copy(update=values)
        monkeypatch.setattr(settings, "ENVIRONMENT", changed)

    return change


@pytest.fixture
def read(environment: Callable[..., None]) -> Callable[[], Samples]:
    """The page as numbers, by name without prefix and labels."""
    environment(metrics_token=TOKEN)

    def now() -> Samples:
        page = ask(TOKEN)
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/plain")
        return {
            (sample.name.removeprefix("ethical_lens_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(page.content.decode())
            for sample in family.samples
        }

    return now


def ask(token: str = "", **meta: str) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers).get("/metrics", **meta)  # type: ignore[arg-type]


def test_there_is_no_page_unless_it_was_opened(environment: Callable[..., None]) -> None:
    assert ask().status_code == 404
    assert ask(TOKEN).status_code == 404
    environment(metrics_token=TOKEN)
    assert [ask(token).status_code for token in ("", "x" * 32, TOKEN)] == [404, 404, 200]
    assert Client(headers={"authorization": f"Basic {TOKEN}"}).get("/metrics").status_code == 404
    assert "no-store" in ask(TOKEN)["Cache-Control"]
    assert Client(headers={"authorization": f"Bearer {TOKEN}"}).post("/metrics").status_code == 405


def test_a_network_may_read_without_a_token(environment: Callable[..., None]) -> None:
    environment(metrics_networks=("10.1.0.0/16",))
    assert ask(REMOTE_ADDR="10.1.2.3").status_code == 200
    assert ask(REMOTE_ADDR="10.2.2.3").status_code == 404
    assert ask(REMOTE_ADDR="10.2.2.3", HTTP_X_FORWARDED_FOR="10.1.2.3").status_code == 404


def test_what_waits_and_how_long(read: Callable[[], Samples]) -> None:
    before = read()
    job = make_job()
    Outbox.objects.filter(job=job).update(available_at=timezone.now() - timedelta(days=900))
    old = timezone.now() - timedelta(days=1000)
    StageRun.objects.filter(job=job, stage="align").update(ready_at=old)
    after = read()

    def grown(*name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown("stages", "align", "ready") == 1
    assert after["stage_oldest_seconds", "align", "ready"] == pytest.approx(1000 * 86_400, abs=60)
    assert grown("jobs_waiting") == 1
    assert after["jobs_waiting_oldest_seconds",] == pytest.approx(900 * 86_400, abs=60)
    assert grown("jobs_last_hour", "queued") == 1


def test_what_came_out(read: Callable[[], Samples]) -> None:
    before = read()
    judged_job(PictureAction.RELEASE, PictureAction.BLOCK)
    after = read()
    for name in (
        ("jobs_last_hour", "succeeded"),
        ("pictures_last_hour", "released"),
        ("pictures_last_hour", "blocked"),
    ):
        assert after[name] - before.get(name, 0) == 1, name


def test_the_queue_of_people(read: Callable[[], Samples]) -> None:
    before = read()
    item = ReviewItem.objects.get(job=reviewed_picture().job)
    entered, due = timezone.now() - timedelta(days=800), timezone.now() - timedelta(days=1)
    ReviewItem.objects.filter(pk=item.pk).update(entered_at=entered, due_at=due)
    after = read()
    queue = item.category
    assert after["review_items", queue] - before.get(("review_items", queue), 0) == 1
    assert after["review_overdue", queue] - before.get(("review_overdue", queue), 0) == 1
    assert after["review_oldest_seconds", queue] == pytest.approx(800 * 86_400, abs=60)


def test_webhooks_and_workers(read: Callable[[], Samples]) -> None:
    before = read()
    job = make_job()
    endpoint = endpoint_create(tenant_id=job.tenant_id, url="http://127.0.0.1:1/hooks")
    endpoint.failing_since = timezone.now()
    endpoint.save()
    done = judged_job(PictureAction.RELEASE)
    event = done.events.first()
    assert event
    Delivery.objects.create(
        event=event, endpoint=endpoint, next_attempt_at=timezone.now() - timedelta(days=700)
    )
    for name, ready, age in (("a", True, 0), ("b", False, 0), ("c", True, 3600)):
        seen = timezone.now() - timedelta(seconds=age)
        Worker.objects.create(name=name, queues=["text", "io"], ready=ready, seen_at=seen)
    after = read()
    assert after["deliveries_pending",] - before["deliveries_pending",] == 1
    assert after["deliveries_overdue_seconds",] == pytest.approx(700 * 86_400, abs=60)
    assert after["endpoints_failing",] - before["endpoints_failing",] == 1
    for queue, more in (("text", 1), ("io", 1), ("generate", 0)):
        assert after["workers_ready", queue] - before["workers_ready", queue] == more, queue


def test_a_page_costs_the_same_for_many(read: Callable[[], Samples]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            read()
        return len(asked)

    make_job()
    few = queries()
    for _ in range(5):
        make_job()
    assert queries() == few <= 10
