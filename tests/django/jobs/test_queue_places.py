"""Where waiting jobs stand, and when their turn comes: as the dispatcher will admit them."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis

from factories import make_job, make_tenant
from jobs.dispatch import dispatch_once
from jobs.models import Job, Outbox
from jobs.places import Place, places_look

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _nobody_elses_jobs_wait() -> None:
    Outbox.objects.all().delete()
    Job.objects.filter(admitted_at__isnull=False).update(admitted_at=None)


def at_work(*ages: float) -> None:
    """Jobs of a tenant of their own, admitted so many seconds ago."""
    tenant = make_tenant()
    for age in ages:
        job = make_job(tenant)
        Job.objects.filter(pk=job.pk).update(admitted_at=timezone.now() - timedelta(seconds=age))
        Outbox.objects.filter(job=job).delete()


def test_places_are_the_order_of_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, quiet = make_tenant(), make_tenant()
    jobs = [make_job(busy) for _ in range(3)]
    jobs += [make_job(quiet, priority=3), make_job(quiet, priority=8)]
    places = places_look([job.id for job in jobs])
    told = sorted(jobs, key=lambda job: places[job.id].position)
    assert [places[job.id].position for job in told] == [1, 2, 3, 4, 5]
    Redis.from_url(settings.ENVIRONMENT.redis_url).flushall()
    admitted = list[Job]()
    for size in range(1, 6):
        one_more = settings.ENVIRONMENT.model_copy(update={"dispatch_window": size})
        monkeypatch.setattr(settings, "ENVIRONMENT", one_more)
        dispatch_once()
        new = Job.objects.filter(pk__in=[job.pk for job in jobs], admitted_at__isnull=False)
        admitted += new.exclude(pk__in=[job.pk for job in admitted])
        assert len(admitted) == size
    assert admitted == told


def test_the_wait_follows_from_how_long_jobs_at_work_have_been() -> None:
    at_work(10.0, 30.0)  # 20 s on average: each takes about 40, so one of two ends every 20
    jobs = [make_job(make_tenant()) for _ in range(2)]
    found = places_look([job.id for job in jobs])
    waits = [found[job.id].starts_in_seconds for job in jobs]
    assert waits == [pytest.approx(20.0, abs=2.0), pytest.approx(40.0, abs=4.0)]


def test_where_nothing_is_at_work_nobody_says_when() -> None:
    job = make_job()
    assert places_look([job.id]) == {job.id: Place(1, None)}


def test_what_was_admitted_waits_no_more() -> None:
    job = make_job()
    Outbox.objects.filter(job=job).delete()
    assert places_look([job.id]) == {job.id: Place(0, 0.0)}
