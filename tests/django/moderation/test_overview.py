"""The first page: what the last days looked like, in bounded work, as charts and as tables."""

import html
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ethical_lens.results import PictureAction
from factories import make_tenant
from moderation import overview as module
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage
from moderation.overview import Trend, overview, overview_read
from moderation.review import picture_decide
from review_cases import blocked_prompt, judged_job, make_user, reviewed_picture
from webhooks.endpoints import endpoint_create
from webhooks.models import Delivery, DeliveryStatus

pytestmark = [pytest.mark.services, pytest.mark.django_db]
QUERIES = 9


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    module._kept.clear()


def today(trend: Trend) -> dict[str, int]:
    return {series.name: series.values[-1] for series in trend.series}


def grown(before: Trend, after: Trend) -> dict[str, int]:
    """What came today, without what other tests left."""
    old, new = today(before), today(after)
    return {name: new[name] - old[name] for name in new if new[name] != old[name]}


def page(user: Any, **query: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("admin:index"), query)


def test_work_of_today_is_counted() -> None:
    before = overview_read(7)
    judged_job(PictureAction.RELEASE, PictureAction.RELEASE)
    held = judged_job(PictureAction.REVIEW)
    job = blocked_prompt(make_tenant())
    endpoint = endpoint_create(tenant_id=job.tenant_id, url="https://example.org/hook")
    event = job.events.first()
    assert event
    Delivery.objects.create(event=event, endpoint=endpoint, status=DeliveryStatus.FAILED)
    after = overview_read(7)
    assert grown(before.throughput, after.throughput) == {
        "jobs submitted": 3,
        "pictures painted": 2,
        "pictures released": 2,
    }
    assert grown(before.outcomes, after.outcomes) == {
        "succeeded": 1,
        "needs review": 1,
        "blocked": 1,
    }
    assert grown(before.labels, after.labels) == {"K0": 2, "K3": 1}
    assert grown(before.deliveries, after.deliveries) == {"failed": 1}
    assert len(after.heads.days) == 7
    assert held.status == "needs_review"


def test_heads_are_counted_once_per_picture() -> None:
    before = overview_read(7)
    job = judged_job(PictureAction.BLOCK)
    for _ in range(2):
        decision_record(
            job=job, picture=job.pictures.get(), stage=DecisionStage.SCRUTINISE, round=1,
            action=DecisionAction.BLOCK, reason="test", explanation="", findings=["nsfw"],
        )  # fmt: skip
    assert grown(before.heads, overview_read(7).heads) == {"nsfw": 1}


def test_reviewers_and_the_age_of_queues() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    waiting = {queue.title: queue for queue in overview_read(7).waiting}
    assert any(title.startswith("review of") and queue.number for title, queue in waiting.items())
    assert waiting["jobs, for their turn"].number >= 0
    picture_decide(picture_id=picture.id, moderator=user, release=False, explanation="A weapon.")
    (mine,) = [r for r in overview_read(7).reviewers if r.name == user.username]
    assert (mine.decisions, mine.passed, mine.blocked, mine.holds) == (1, 0, 1, 0)


def test_an_endpoint_that_fails_is_named() -> None:
    endpoint = endpoint_create(tenant_id=make_tenant().id, url="https://example.org/failing")
    endpoint.failing_since = endpoint.created_at
    endpoint.save()
    assert endpoint.pk in [one.pk for one in overview_read(7).failing]


def test_the_work_does_not_grow_with_what_is_stored() -> None:
    overview_read(7)  # policies are read once per process
    with CaptureQueriesContext(connection) as few:
        overview_read(7)
    judged_job(*[PictureAction.RELEASE] * 5)
    blocked_prompt(make_tenant())
    with CaptureQueriesContext(connection) as more:
        overview_read(90)
    assert len(few) == len(more) == QUERIES


def test_ranges_are_read_by_index() -> None:
    with CaptureQueriesContext(connection) as queries:
        overview_read(7)
    statements = [q["sql"] for q in queries if "id >= '" in q["sql"]]
    assert len(statements) == 5
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            for table in ("jobs_job ", "moderation_decision ", "webhooks_delivery "):
                assert f"Seq Scan on {table}" not in plan, plan


def test_what_was_read_is_kept_for_a_minute() -> None:
    first = overview(7)
    assert overview(7) is first
    assert overview(14) is not first
    module._kept[7] = (module._kept[7][0] - module.KEPT_SECONDS - 1, first)
    assert overview(7) is not first


def test_each_chart_has_its_table_and_lines_differ_without_colour() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    picture_decide(picture_id=picture.id, moderator=user, release=False, explanation="A weapon.")
    text = page(make_user(is_superuser=True), days="7").content.decode()
    canvases = text.split("<canvas")[1:]
    assert len(canvases) == 7
    for canvas in canvases:
        data = html.unescape(canvas.split('data-value="')[1].split('"')[0])
        lines = json.loads(data)["datasets"]
        marks = {(tuple(line.get("borderDash", ())), line.get("pointStyle")) for line in lines}
        assert len(marks) == len(lines)
        assert "<table" in canvas
    assert 'role="img" aria-label="Throughput, by the day of submission, 7 days: jobs' in text
    ages, load = (html.unescape(canvases[i]) for i in (0, 6))
    assert '"jobs, for their turn"' in ages
    assert f'"{user.username}"' in load
    assert f"{user.username} 1" in text.partition('aria-label="Decisions: ')[2].partition('"')[0]
    body = text.partition('class="desk-counts"')[2].partition("unfold/js/simplebar")[0]
    assert "<script" not in body.partition("command-results")[0]


def test_a_period_is_one_of_those_offered() -> None:
    user = make_user(is_superuser=True)
    assert page(user, days="30").context["days"] == 30
    for wrong in ("5", "x", "9999999"):
        assert page(user, days=wrong).context["days"] == 14


def test_people_see_of_it_what_they_may() -> None:
    operator = page(make_user(group="Operators")).content.decode()
    assert "Endpoints that fail" not in page(make_user(group="Moderators")).content.decode()
    assert "Reviewers" not in operator
    assert "Throughput" in operator
    nobody = page(make_user()).content.decode()
    assert "Throughput" not in nobody
