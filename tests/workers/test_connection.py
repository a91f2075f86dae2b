"""A database connection that broke between two tasks costs the next stage nothing."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from factories import make_job
from jobs.claims import stage_finish
from workers.leasing import stages_run

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]


def test_a_claim_on_a_broken_connection_is_tried_on_a_new_one() -> None:
    job = make_job()
    stage_id = str(job.stages.get(stage="align").id)
    assert connection.connection is not None
    with psycopg.connect(settings.ENVIRONMENT.database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
        )
    stages_run([stage_id], lambda claims: stage_finish(claim=claims[0], record=lambda _: None))
    assert job.stages.get(stage="align").state == "done"
