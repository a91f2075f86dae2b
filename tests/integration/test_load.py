"""Many jobs of several tenants through real workers: each ends once, and none waits unduly."""

import pytest

from devstack.application import Application
from factories import make_job, make_tenant
from jobs.models import Job, StageRun
from jobs.states import TERMINAL
from waiting import assert_one_end, wait_until

pytestmark = [pytest.mark.load, pytest.mark.usefixtures("application", "committed")]

CROWD = 300


def test_a_crowd_ends_once_each_and_a_late_tenant_is_not_kept_waiting(
    application: Application,
) -> None:
    busy, late = make_tenant(), make_tenant()
    crowd = [make_job(busy, steps=4) for _ in range(CROWD)]
    first = make_job(late, steps=4)

    def ended(*jobs: Job) -> int:
        return Job.objects.filter(pk__in=[j.pk for j in jobs], status__in=TERMINAL).count()

    wait_until(lambda: ended(first), "the late tenant's first job", timeout=120)
    assert ended(*crowd) < CROWD / 3, "the late tenant's job did not wait for the crowd"
    wait_until(lambda: ended(*crowd) == CROWD, "the crowd to end", timeout=600)
    for job in (first, *crowd):
        assert_one_end(job, "succeeded")
    runs = StageRun.objects.filter(job__tenant__in=[busy, late])
    assert set(runs.values_list("attempts", flat=True)) == {1}
