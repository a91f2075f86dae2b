"""The record leaves page by page, whole, with a statement of reasons for each restriction."""

import csv
import io
import json
import tracemalloc
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.identifiers import uuid7
from config.rows import rows_insert
from ethical_lens.results import Concept, Factor, PictureAction
from factories import make_tenant
from jobs.admin.story import story_of
from jobs.models import Job
from moderation import decision_export
from moderation.decision_export import COLUMNS, FORMATS, ExportRange, export_text
from moderation.decisions import decision_record
from moderation.models import DecisionAction, DecisionStage, ReportReason
from moderation.released import released_decide
from moderation.reports import report_open
from moderation.review import picture_decide
from moderation.statement_of_reasons import CATEGORIES, FIELDS, VISIBILITY
from review_cases import blocked_prompt, judged_job, make_user, reviewed_picture

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def of(job: Job) -> ExportRange:
    """What was decided about the tenant's jobs since this one was submitted."""
    return ExportRange(job.created_at, timezone.now() + timedelta(seconds=1), job.tenant_id)


def records(job: Job) -> list[dict[str, Any]]:
    text = "".join(export_text(of(job), FORMATS["jsonl"]))
    return [json.loads(line) for line in text.splitlines()]


def test_a_refused_prompt_as_a_statement_of_reasons() -> None:
    job = blocked_prompt(make_tenant())
    (record,) = records(job)
    decision = job.decisions.get()
    statement = record["statement_of_reasons"]
    assert tuple(statement) == FIELDS
    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert statement["category"] == "STATEMENT_CATEGORY_VIOLENCE"
    assert statement["content_type"] == ["CONTENT_TYPE_TEXT"]
    assert statement["automated_detection"] == "Yes"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert statement["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert statement["incompatible_content_ground"].endswith("v1: prompt_blocked")
    assert statement["incompatible_content_explanation"] == "It calls for violence."
    assert "P3" in statement["decision_facts"]
    assert "toxicity 0.93" in statement["decision_facts"]
    assert statement["application_date"] == f"{decision.created_at:%Y-%m-%d}"
    assert statement["content_date"] == f"{job.created_at:%Y-%m-%d}"
    assert statement["puid"] == record["id"] == str(decision.id)
    assert f"/jobs/{job.id}/appeal" in statement["redress"]
    assert len(statement["territorial_scope"]) == 30
    assert job.prompt not in json.dumps(record)


def test_a_persons_decision_ends_the_restriction_it_replaces() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    picture_decide(picture_id=picture.id, moderator=user, release=True, explanation="Harmless.")
    _, held, released = records(picture.job)
    assert held["statement_of_reasons"]["decision_visibility"] == ["DECISION_VISIBILITY_OTHER"]
    assert held["replaced_by"] == released["id"]
    assert held["statement_of_reasons"]["end_date_visibility_restriction"]
    assert released["replaces"] == held["id"]
    assert (released["actor"], released["actor_id"]) == ("person", str(user.id))
    assert released["statement_of_reasons"] is None
    assert user.username not in json.dumps([held, released])


def test_a_person_who_blocks_what_the_system_held_decides_partly_by_machine() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    picture_decide(picture_id=picture.id, moderator=user, release=False, explanation="A weapon.")
    _, held, blocked = records(picture.job)
    statement = blocked["statement_of_reasons"]
    assert statement["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert statement["automated_detection"] == "Yes"
    assert "nsfw 0.83 (threshold 0.70)" in statement["decision_facts"]
    assert held["statement_of_reasons"]["end_date_visibility_restriction"] is None


def test_what_was_reported_was_not_detected_but_notified() -> None:
    picture, user = judged_job(PictureAction.RELEASE).pictures.get(), make_user()
    for reason, reporter in (("hate", "u1"), ("minor", "u1"), ("hate", "u2")):
        report_open(picture_id=picture.id, reason=ReportReason(reason), reporter=reporter)
    released_decide(
        picture_id=picture.id, moderator=user, keep=False, explanation="They are right."
    )
    statement = records(picture.job)[-1]["statement_of_reasons"]
    assert statement["source_type"] == "SOURCE_TYPE_OTHER_NOTIFICATION"
    assert statement["automated_detection"] == "No"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert statement["category"] == "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
    assert "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH" in statement["category_addition"]
    assert "Reported as: hate, minor." in statement["decision_facts"]
    assert "u1" not in statement["decision_facts"], "who said it is not told"


def test_what_is_found_unasked_is_of_our_own_initiative() -> None:
    job = judged_job(PictureAction.BLOCK)
    assert records(job)[-1]["statement_of_reasons"]["source_type"] == "SOURCE_VOLUNTARY"
    picture = judged_job(PictureAction.RELEASE).pictures.get()
    report_open(picture_id=picture.id, reason=ReportReason.HATE)
    released_decide(picture_id=picture.id, moderator=make_user(), keep=True, explanation="Fine.")
    assert records(picture.job)[-1]["statement_of_reasons"] is None, "nothing is restricted"


def test_sexual_content_beside_somebody_under_twenty_protects_minors() -> None:
    job = judged_job(PictureAction.BLOCK, reason="sexual_and_under_twenty")
    statement = records(job)[-1]["statement_of_reasons"]
    assert statement["category"] == "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
    assert statement["content_type"] == ["CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_IMAGE"]


def test_a_picture_that_was_sent_is_an_image_and_no_synthetic_one() -> None:
    job = judged_job(PictureAction.RELEASE)
    decision_record(
        job=job, stage=DecisionStage.INSPECT, round=1, action=DecisionAction.BLOCK,
        reason="region_toxic", explanation="It shows nude.", findings=["nude"],
    )  # fmt: skip
    statement = records(job)[-1]["statement_of_reasons"]
    assert statement["content_type"] == ["CONTENT_TYPE_IMAGE"]
    assert statement["decision_facts"].startswith("A picture that was sent")
    assert statement["category_specification"] == ["KEYWORD_NUDITY"]
    (chapter,) = [c for c in story_of(job) if c.title == "Pictures that were sent, scrutinised"]
    assert [decision.reason for decision in chapter.decisions] == ["region_toxic"]


def test_every_factor_and_every_concept_has_a_category() -> None:
    assert set(CATEGORIES) == {*Factor, *Concept}
    assert {"allow", "release"}.isdisjoint(VISIBILITY)


def test_csv_has_the_same_rows_and_no_formula() -> None:
    picture, user = reviewed_picture(), make_user(group="Moderators")
    picture_decide(
        picture_id=picture.id, moderator=user, release=False, explanation='=HYPERLINK("x"), "é"\n'
    )
    text = "".join(export_text(of(picture.job), FORMATS["csv"]))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == [*COLUMNS, *FIELDS]
    assert [row["id"] for row in rows] == [record["id"] for record in records(picture.job)]
    assert rows[-1]["explanation"] == '\'=HYPERLINK("x"), "é"'
    assert json.loads(rows[1]["scores"])["nsfw"] == 0.83
    assert rows[0]["category"] == ""


def test_pages_follow_each_other_without_gap_or_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_export, "PAGE", 2)
    job = judged_job(*[PictureAction.BLOCK] * 6)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        pieces = list(export_text(of(job), FORMATS["jsonl"]))
    assert len(pieces) == 1 + 4, "an empty beginning, then 7 decisions two by two"
    ids = [json.loads(line)["id"] for line in "".join(pieces).splitlines()]
    assert ids == [str(d.id) for d in job.decisions.all()]
    assert len(queries) == 3 * 4 + 1, "each page, what replaces it, what it answers, and the end"


def test_memory_does_not_grow_with_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_export, "PAGE", 100)
    peaks = []
    for count in (300, 1500):
        job = judged_job(PictureAction.BLOCK)
        decision = job.decisions.get(stage="scrutinise")
        copies = []
        for _ in range(count):
            one = copy(decision)
            one.id = uuid7()
            copies.append(one)
        rows_insert(copies)
        tracemalloc.start()
        written = sum(piece.count("\n") for piece in export_text(of(job), FORMATS["jsonl"]))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert written == count + 2
    assert peaks[1] < 1.3 * peaks[0]


def test_the_range_is_half_open_and_of_one_tenant() -> None:
    job = judged_job(PictureAction.BLOCK)
    first, second = job.decisions.all()
    other = blocked_prompt(make_tenant())
    everyone = ExportRange(job.created_at, timezone.now() + timedelta(seconds=1))
    assert {str(first.id), str(second.id), str(other.decisions.get().id)} <= {
        json.loads(line)["id"]
        for line in "".join(export_text(everyone, FORMATS["jsonl"])).splitlines()
    }
    assert [r["job"] for r in records(job)] == [str(job.id)] * 2
    past = ExportRange(job.created_at - timedelta(days=2), job.created_at - timedelta(days=1))
    assert "".join(export_text(past, FORMATS["jsonl"])) == ""


def test_the_command_writes_what_the_page_does(capsys: pytest.CaptureFixture[str]) -> None:
    job = judged_job(PictureAction.BLOCK)
    since = job.created_at.isoformat()
    until = (timezone.now() + timedelta(seconds=1)).isoformat()
    call_command("decisions_export", since, until, tenant=job.tenant.slug)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == records(job)
    for arguments, complaint in (
        (("yesterday", until), "is no time"),
        ((until, since), "SINCE must come before UNTIL"),
        ((since, until, "--tenant", "nobody"), "no tenant"),
    ):
        with pytest.raises(CommandError, match=complaint):
            call_command("decisions_export", *arguments)


def exported(**query: str) -> dict[str, str]:
    return {"since": "2020-01-01T00:00", "until": "2120-01-01T00:00", "format": "jsonl", **query}


def test_the_page_asks_for_its_permission_and_says_what_is_wrong() -> None:
    client, url = Client(), reverse("moderation:decisions_export")
    client.force_login(make_user(group="Moderators"))
    assert client.get(url).status_code == 403
    client.force_login(make_user("moderation.export_decisions"))
    assert client.get(url).status_code == 200
    wrong = client.get(url, exported(until="2019-01-01T00:00"))
    assert wrong.status_code == 400
    assert "The end must come after the start." in wrong.content.decode()
    assert client.post(url, exported()).status_code == 405
    assert Client().get(url, exported()).status_code == 302


def test_a_page_is_a_piece_of_the_primary_key() -> None:
    job = judged_job(PictureAction.BLOCK)
    with CaptureQueriesContext(connection) as queries:
        of(job).page(None)
        of(job).page(job.id)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Index Scan using moderation_decision_pkey" in plan, plan


def test_a_range_far_away_is_no_error() -> None:
    far = ExportRange(datetime(1960, 1, 1, tzinfo=UTC), datetime(1961, 1, 1, tzinfo=UTC))
    assert "".join(export_text(far, FORMATS["csv"])).count("\r\n") == 1
