"""Attributes drawn side by side: the deck stays balanced, whoever draws."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from ethical_lens.policy import Policy
from factories import make_job, make_tenant
from jobs.models import Deck, Job
from review_cases import claimed
from workers.align import jobs_align

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]

JOBS = 30
WORKERS = 6


def align(job: Job) -> None:
    try:
        jobs_align([claimed(job, "align")])
    finally:
        connection.close()


def test_draws_of_many_workers_at_once_are_balanced_as_those_of_one() -> None:
    tenant = make_tenant(Policy())
    jobs = [make_job(tenant, prompt="a doctor in an office", n=1) for _ in range(JOBS)]

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(align, jobs))

    drawn = [draw for job in jobs for picture in job.pictures.all() for draw in picture.draws]
    assert len(drawn) == JOBS
    for attribute, values in (("gender", 2), ("race", 5), ("age", 3)):
        shares = Counter(draw[attribute] for draw in drawn)
        assert sorted(shares.values()) == [JOBS // values] * values, attribute
    assert Deck.objects.filter(tenant=tenant).count() == 1
