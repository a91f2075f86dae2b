"""What the API says while the database or the store of pictures cannot serve it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from jobs import storage
from jobs.models import Job
from sent_pictures import data_url, harmless

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def told_to_wait(answer: Any) -> bool:
    return (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (
        503, "unavailable", "5",
    )  # fmt: skip


def test_a_picture_that_cannot_be_stored_leaves_no_job(api: Client, settings: Settings) -> None:
    body = {"pictures": [{"url": data_url(harmless())}]}
    reachable = settings.ENVIRONMENT
    storage._client.cache_clear()
    settings.ENVIRONMENT = reachable.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1"})
    headers = {"Idempotency-Key": "once"}
    try:
        refused = api.post("/api/v1/moderations", body, "application/json", headers=headers)
    finally:
        settings.ENVIRONMENT = reachable
        storage._client.cache_clear()
    assert told_to_wait(refused)
    assert not Job.objects.exists()

    again = api.post("/api/v1/moderations", body, "application/json", headers=headers)
    assert again.status_code == 202
    assert Job.objects.count() == 1


def test_a_database_that_does_not_answer_in_time_leaves_no_job(api: Client) -> None:
    other = connection.copy()
    try:
        with other.cursor() as holding, connection.cursor() as cursor:
            holding.execute("BEGIN; LOCK TABLE jobs_job IN EXCLUSIVE MODE")
            cursor.execute("SET lock_timeout = '100ms'")
            refused = api.post("/api/v1/jobs", {"prompt": "a doctor"}, "application/json")
            cursor.execute("RESET lock_timeout")
            holding.execute("ROLLBACK")
    finally:
        other.close()
    assert told_to_wait(refused)
    assert not Job.objects.exists()
    taken = api.post("/api/v1/jobs", {"prompt": "a doctor"}, "application/json")
    assert taken.status_code == 202
