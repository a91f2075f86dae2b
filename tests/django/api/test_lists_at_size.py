"""Lists read about as many jobs as they show, however many the tenant has."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from config.identifiers import uuid7
from factories import make_job
from jobs.models import Job
from jobs.services import ScrutinyRequest, job_cancel, scrutiny_submit

pytestmark = [pytest.mark.services, pytest.mark.django_db]

MANY = 5000
_COPIES = """
    INSERT INTO jobs_job
    SELECT (jsonb_populate_record(job, jsonb_build_object('id', new.id))).*
    FROM jobs_job AS job, unnest(%s::uuid[]) AS new(id) WHERE job.id = %s
"""


@pytest.fixture
def many(tenant: Tenant) -> Tenant:
    """A tenant with many jobs in the queue, one that was canceled, and one of scrutiny alone."""
    job_cancel(job_id=make_job(tenant).id)
    scrutiny_submit(tenant=tenant, request=ScrutinyRequest(text="a doctor"))
    with connection.cursor() as cursor:
        cursor.execute(_COPIES, [[uuid7() for _ in range(MANY)], make_job(tenant).id])
        cursor.execute("ANALYZE jobs_job")
    return tenant


def jobs_read(plan: dict[str, Any]) -> float:
    """How many rows of jobs a plan looked at, by its measured nodes."""
    below = sum(jobs_read(part) for part in plan.get("Plans", ()))
    if plan.get("Relation Name") != "jobs_job":
        return below
    looked = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return below + plan["Actual Loops"] * float(looked)


@pytest.mark.parametrize(
    "path",
    [
        "jobs?page_size=50",
        "jobs?page_size=50&status=queued",
        "jobs?page_size=50&status=canceled",
        "jobs?page_size=50&status=queued&status=canceled",
        "jobs?page_size=50&created_after=2020-01-01T00:00:00Z",
        "jobs?page_size=50&created_after=2999-01-01T00:00:00Z",
        "jobs?page_size=50&created_before=2020-01-01T00:00:00Z",
        "jobs?page_size=50&created_before=2999-01-01T00:00:00Z",
        "moderations?page_size=50",
    ],
)
def test_a_page_looks_at_few_jobs(api: Client, many: Tenant, path: str) -> None:
    with CaptureQueriesContext(connection) as seen:
        page = api.get(f"/api/v1/{path}").json()
        if page["next"]:
            assert len(api.get(page["next"]).json()["results"]) == 50
    assert len(page["results"]) in {0, 1, 50}
    asked = [query["sql"] for query in seen.captured_queries if 'FROM "jobs_job"' in query["sql"]]
    assert asked
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            (told,) = cursor.fetchone()
        (plan,) = json.loads(told) if isinstance(told, str) else told
        assert jobs_read(plan["Plan"]) < 500, json.dumps(plan, indent=1)


def test_the_count_sees_a_tenant_read_whole(many: Tenant) -> None:
    told = Job.objects.filter(tenant=many, model="none").explain(analyze=True, format="json")
    assert jobs_read(json.loads(told)[0]["Plan"]) > MANY
