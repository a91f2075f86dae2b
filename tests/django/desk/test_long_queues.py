"""A long queue is taken from as a short one: by a look into an index. Times are measured by
`benchmarks/desk`."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from desk.models import Category, ItemKind, ReviewItem
from desk.pages import waiting_of_kind
from desk.taking import TAKE, item_take
from review_cases import make_user
from review_queues import fill

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture(params=[100, 100_000])
def long_queue(request: pytest.FixtureRequest) -> int:
    ReviewItem.objects.filter(closed_at=None).update(closed_at=timezone.now())
    count: int = request.param
    fill(count)
    return count


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def test_taking_the_next_reads_one_row_of_an_index(long_queue: int) -> None:
    user = make_user(group="Moderators")
    parameters = {
        "user": user.pk, "lock": timedelta(minutes=15), "for_lead": False,
        "category": Category.NUDE.value,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {TAKE}", parameters)
        shown = cursor.fetchone()[0]
    plan = nodes((json.loads(shown) if isinstance(shown, str) else shown)[0]["Plan"])
    scans = [node for node in plan if "Scan" in node["Node Type"]]
    if long_queue > 1000:  # fewer rows fit on a page or two, and may as well be sorted
        assert not [node for node in plan if node["Node Type"] in {"Sort", "Incremental Sort"}]
        assert {node["Node Type"] for node in scans} == {"Index Scan"}
        assert "review_next" in {node.get("Index Name") for node in scans}
        assert max(node["Actual Rows"] for node in plan) == 1


def test_taking_the_next_costs_so_many_statements(long_queue: int) -> None:
    user = make_user(group="Moderators")
    with CaptureQueriesContext(
        connection,
    ) as statements:
        item = item_take(user=user)
    assert item is not None
    assert item.category == "nude" if item.picture is None else item.picture.index >= 10
    ours = [s["sql"] for s in statements.captured_queries]
    assert len(ours) == 7, ours


def test_counting_a_kind_reads_an_index_whatever_the_kind(long_queue: int) -> None:
    with CaptureQueriesContext(connection) as statements:
        assert waiting_of_kind(ItemKind.APPEAL) == "0"
    counting = statements.captured_queries[0]["sql"].replace("'appeal'", "$1")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE counting (text) AS {counting}")
        cursor.execute("EXPLAIN (FORMAT JSON) EXECUTE counting ('appeal')")
        shown = cursor.fetchone()[0]
        cursor.execute("DEALLOCATE counting")
    plan = nodes((json.loads(shown) if isinstance(shown, str) else shown)[0]["Plan"])
    if long_queue > 1000:
        assert "review_waiting" in {node.get("Index Name") for node in plan}
