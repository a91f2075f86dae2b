"""`/livez` speaks for the process, `/readyz` for its surroundings."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from devstack.stack import Stack
from jobs.models import Worker

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def worker(name: str, *queues: str, ready: bool = True, silent: float = 0) -> None:
    Worker.objects.create(
        name=name, queues=list(queues), ready=ready, load_seconds={"pipeline": 1.5},
        seen_at=timezone.now() - timedelta(seconds=silent),
    )  # fmt: skip


def test_the_process_answers() -> None:
    assert Client().get("/livez").json() == {"status": "ok"}


def test_workers_are_told_by_their_rows() -> None:
    worker("good", "text", "io")
    worker("loading", "generate", ready=False)
    worker("gone", "webhooks", silent=3600)
    response = Client().get("/readyz")
    body = response.json()
    assert (response.status_code, body["database"], body["broker"]) == (200, True, True)
    assert body["queues"] == {
        "text": True, "io": True, "generate": False, "scrutinise": False, "fetch": False,
        "webhooks": False,
    }  # fmt: skip
    assert {w["name"]: w["ready"] for w in body["workers"]} == {
        "good": True, "loading": False, "gone": False,
    }  # fmt: skip
    assert body["workers"][1]["load_seconds"] == {"pipeline": 1.5}


def test_jobs_can_be_taken_while_the_broker_is_away(stack: Stack) -> None:
    stack.stop_redis()
    try:
        response = Client().get("/readyz")
    finally:
        stack.start_redis()
    assert (response.status_code, response.json()["broker"]) == (200, False)
