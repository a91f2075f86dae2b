"""Claims over real connections side by side."""

import threading

import pytest
from django.db import connection, transaction

from config.identifiers import uuid7
from factories import make_job, make_tenant
from jobs.claims import Claim, stage_claim, stages_claim
from jobs.dispatch import dispatch_once
from waiting import wait_until

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]


def test_of_twenty_claimants_one_wins() -> None:
    job = make_job()
    stage_id = job.stages.get(stage="align").id
    won: list[Claim | None] = []
    start = threading.Barrier(20)

    def claimant() -> None:
        start.wait()
        try:
            won.append(stage_claim(stage_id=stage_id, holder="test"))
        finally:
            connection.close()

    threads = [threading.Thread(target=claimant) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 20
    assert sum(result is not None for result in won) == 1
    assert job.stages.get(stage="align").attempts == 1


def test_a_message_that_comes_before_its_dispatch_is_committed_waits_for_it() -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(3)]
    ids = [job.stages.get(stage="align").id for job in jobs]
    won: list[Claim] = []

    def claimant() -> None:
        try:
            for _ in range(10):  # from then on by one plan, whatever is asked for
                stages_claim(stage_ids=[uuid7() for _ in ids], holder="test", room=8)
            prepared.set()
            won.extend(stages_claim(stage_ids=ids, holder="test", room=8))
        finally:
            connection.close()

    prepared = threading.Event()
    thread = threading.Thread(target=claimant)
    with transaction.atomic():
        assert dispatch_once() >= 3
        thread.start()
        prepared.wait()
        wait_until(somebody_waits_for_a_lock, "the claim to wait")
    thread.join()
    assert [claim.job_id for claim in won] == [job.id for job in jobs]


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])
