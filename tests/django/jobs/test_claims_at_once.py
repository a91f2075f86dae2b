"""Claims over real connections side by side."""

import threading

import pytest
from django.db import connection

from factories import make_job
from jobs.claims import Claim, stage_claim

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
