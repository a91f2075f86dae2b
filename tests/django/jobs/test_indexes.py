"""Indexes that hold promises are there, whatever migrations drop."""

import pytest
from django.db import connection

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PROMISES = {
    "jobs_stagerun": {"one_open_stage_per_job", "stage_once_per_round", "stage_position_once"},
    "jobs_picture": {"picture_index_once"},
    "jobs_pictureversion": {"version_once_per_round_and_kind"},
    "webhooks_event": {"event_sequence_once_per_job", "one_terminal_event_per_job"},
    "webhooks_delivery": {"one_delivery_per_endpoint"},
}


@pytest.mark.parametrize(("table", "names"), PROMISES.items())
def test_unique_indexes_are_there(table: str, names: set[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE indrelid = %s::regclass AND indisunique",
            [table],
        )
        assert names <= {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("jobs_stagerun", "job_id"),
        ("jobs_picture", "job_id"),
        ("jobs_pictureversion", "picture_id"),
        ("moderation_decision", "job_id"),
        ("webhooks_event", "job_id"),
        ("webhooks_event", "tenant_id"),
        ("webhooks_delivery", "event_id"),
        ("webhooks_delivery", "endpoint_id"),
    ],
)
def test_a_foreign_key_has_no_second_index(table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index JOIN pg_attribute ON attrelid = indrelid "
            "AND attnum = indkey[0] WHERE indrelid = %s::regclass AND attname = %s "
            "AND indnatts = 1 AND indpred IS NULL",
            [table, column],
        )
        assert cursor.fetchone() == (0,)
