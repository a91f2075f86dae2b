"""Admission in fair order, a bounded window, and an outbox that loses nothing."""

import json
from base64 import b64decode
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerUnavailable
from pytest_django import Settings

from config.identifiers import uuid7
from devstack.stack import Stack
from ethical_lens.policy import Policy
from factories import make_job, make_tenant
from jobs import dispatch
from jobs.claims import stages_claim, stages_finish
from jobs.dispatch import dispatch_once
from jobs.models import Job, Outbox, StageRun
from jobs.outbox import outbox_continue
from jobs.reconcile import stages_redrive
from jobs.services import job_cancel

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def broker() -> redis.Redis:
    client = redis.Redis.from_url(settings.ENVIRONMENT.redis_url)
    client.flushall()
    return client


@pytest.fixture(autouse=True)
def _nobody_elses_jobs_wait() -> None:
    Outbox.objects.all().delete()
    Job.objects.filter(admitted_at__isnull=False).update(admitted_at=None)


def window(settings: Settings, size: int) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"dispatch_window": size})


def admitted() -> list[Job]:
    return list(Job.objects.filter(admitted_at__isnull=False).order_by("admitted_at", "id"))


def sent(broker: redis.Redis, queue: str = "text") -> list[list[list[str]]]:
    """The chains in the queue, each as the stage ids of its links, first to last."""
    chains = []
    for message in reversed(broker.lrange(queue, 0, -1)):
        arguments, _, embedded = json.loads(b64decode(json.loads(message)["body"]))
        links = [link["args"][0] for link in reversed(embedded["chain"] or [])]
        chains.append([arguments[0], *links])
    return chains


def test_a_new_job_is_sent_to_its_first_queue(broker: redis.Redis) -> None:
    job = make_job()
    assert dispatch_once() == 1
    assert broker.llen("text") == 1
    job.refresh_from_db()
    assert job.admitted_at is not None
    assert not Outbox.objects.filter(job=job).exists()
    assert dispatch_once() == 0


def test_what_is_rolled_back_is_never_sent(broker: redis.Redis) -> None:
    tenant = make_tenant()
    with transaction.atomic():
        make_job(tenant)
        transaction.set_rollback(True)
    assert dispatch_once() == 0
    assert broker.llen("text") == 0
    assert not Job.objects.filter(tenant=tenant).exists()
    assert not Outbox.objects.filter(tenant=tenant).exists()


def test_no_more_than_the_window_is_admitted(broker: redis.Redis, settings: Settings) -> None:
    window(settings, 3)
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(5)]
    assert dispatch_once() == 3
    assert dispatch_once() == 0
    job_cancel(job_id=jobs[0].id)
    assert dispatch_once() == 1
    assert [len(chain[0]) for chain in sent(broker)] == [3, 1]
    assert [job in admitted() for job in jobs] == [True, True, True, True, False]


def test_tenants_take_turns(broker: redis.Redis, settings: Settings) -> None:
    window(settings, 4)
    busy, quiet = make_tenant(), make_tenant()
    for _ in range(50):
        make_job(busy)
    late = make_job(quiet)
    dispatch_once()
    assert late in admitted()
    assert len(admitted()) == 4
    second = make_job(quiet)
    for job in Job.objects.filter(tenant=busy, admitted_at__isnull=False)[:1]:
        job_cancel(job_id=job.id)
    dispatch_once()
    assert second in admitted(), "who has less in flight goes first"


_COPIES = """
WITH copy AS (SELECT unnest(%(ids)s::uuid[]) AS id),
job AS (
    INSERT INTO jobs_job
    SELECT (jsonb_populate_record(j, jsonb_build_object('id', copy.id))).*
    FROM jobs_job j, copy WHERE j.id = %(of)s
), stage AS (
    INSERT INTO jobs_stagerun
    SELECT (jsonb_populate_record(
        s, jsonb_build_object('id', gen_random_uuid(), 'job_id', copy.id))).*
    FROM jobs_stagerun s, copy WHERE s.job_id = %(of)s
)
INSERT INTO jobs_outbox (job_id, tenant_id, priority, admission, available_at)
SELECT copy.id, o.tenant_id, o.priority, o.admission, o.available_at
FROM jobs_outbox o, copy WHERE o.job_id = %(of)s
"""


def test_ten_thousand_waiting_jobs_delay_anothers_first_by_one(broker: redis.Redis) -> None:
    crowd, other = make_tenant(), make_tenant()
    with connection.cursor() as cursor:
        ids = [uuid7() for _ in range(9_999)]
        cursor.execute(_COPIES, {"of": make_job(crowd).id, "ids": ids})
        cursor.execute("ANALYZE jobs_job, jobs_stagerun, jobs_outbox")
    assert Outbox.objects.filter(tenant=crowd, admission=True).count() == 10_000
    dispatch_once()
    assert [job.tenant for job in admitted()] == [crowd] * settings.ENVIRONMENT.dispatch_window

    first = make_job(other)
    dispatch_once()
    assert first not in admitted(), "every place is taken"
    job_cancel(job_id=admitted()[0].id)
    dispatch_once()
    assert first in admitted()
    assert Outbox.objects.filter(tenant=crowd, admission=True).count() > 9_900


def test_priority_goes_before_age_within_a_tenant(broker: redis.Redis, settings: Settings) -> None:
    window(settings, 1)
    tenant = make_tenant()
    make_job(tenant, priority=1)
    urgent = make_job(tenant, priority=9)
    dispatch_once()
    assert admitted() == [urgent]


def test_what_is_not_yet_due_waits(broker: redis.Redis) -> None:
    job = make_job()
    dispatch_once()
    broker.flushall()
    outbox_continue(job, available_at=job.created_at + timedelta(hours=1))
    assert dispatch_once() == 0
    outbox_continue(job)
    assert dispatch_once() == 1
    assert broker.llen("text") == 1


def test_a_continuation_does_not_wait_for_the_window(
    broker: redis.Redis, settings: Settings
) -> None:
    tenant = make_tenant()
    job = make_job(tenant)
    dispatch_once()
    window(settings, 1)
    make_job(tenant)
    outbox_continue(job)
    assert dispatch_once() == 1


def stages_of(*jobs: Job) -> list[list[str]]:
    """What a chain of these jobs carries."""
    return [
        [str(job.stages.get(stage=stage).id) for job in jobs]
        for stage in ("align", "generate", "scrutinise", "release")
    ]


def test_jobs_that_fit_go_by_one_chain(broker: redis.Redis) -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(5)]
    large = make_job(tenant, width=128)
    several = [make_job(n=3), make_job(n=2)]
    assert dispatch_once() == 8
    assert sent(broker) == [
        stages_of(jobs[0], several[0]),
        stages_of(several[1], jobs[1], jobs[2]),
        stages_of(jobs[3], jobs[4]),
        stages_of(large),
    ], "in the order of admission, four pictures at most"


def test_what_ended_badly_and_what_takes_long_go_by_chains_of_their_own(
    broker: redis.Redis,
) -> None:
    tenant, slow = make_tenant(), make_tenant(Policy(aligners=("llm",)))
    jobs = [make_job(tenant) for _ in range(3)]
    read_by_a_model = [make_job(slow), make_job(slow)]
    jobs[1].stages.filter(stage="align").update(alone=True)
    dispatch_once()
    expected = [stages_of(jobs[0], jobs[2]), stages_of(jobs[1])]
    expected += [stages_of(job) for job in read_by_a_model]
    assert sorted(sent(broker)) == sorted(expected)


def test_a_crash_between_send_and_commit_sends_again(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    publish = dispatch.chain_publish

    def publish_and_crash(*arguments: object) -> None:
        publish(*arguments)  # type: ignore[arg-type]
        raise MemoryError

    monkeypatch.setattr(dispatch, "chain_publish", publish_and_crash)
    with pytest.raises(MemoryError):
        dispatch_once()
    assert Outbox.objects.filter(job=job).exists()
    monkeypatch.undo()
    assert dispatch_once() == 1
    assert broker.llen("text") == 2


def test_a_broker_that_is_away_loses_nothing(stack: Stack) -> None:
    job = make_job()
    stack.stop_redis()
    try:
        with pytest.raises(BrokerUnavailable):
            dispatch_once()
    finally:
        stack.start_redis()
    assert Outbox.objects.filter(job=job).exists()
    assert dispatch_once() == 1


def test_silent_stages_are_driven_again_with_a_doubling_delay(broker: redis.Redis) -> None:
    job = make_job()
    dispatch_once()
    silent = timedelta(seconds=settings.ENVIRONMENT.silent_seconds)
    assert stages_redrive() == 0
    job.stages.filter(state="ready").update(driven_at=Now() - silent * 1.1)
    assert stages_redrive() == 1
    assert dispatch_once() == 1
    job.stages.filter(state="ready").update(driven_at=Now() - silent * 1.1)
    assert stages_redrive() == 0, "the second time it takes twice as long"
    job.stages.filter(state="ready").update(driven_at=Now() - silent * 2.1)
    assert stages_redrive() == 1


def test_a_batch_whose_worker_died_before_the_next_link_is_sent_again(
    broker: redis.Redis,
) -> None:
    tenant = make_tenant()
    jobs = [make_job(tenant) for _ in range(2)]
    dispatch_once()
    broker.flushall()
    ids = [job.stages.get(stage="align").id for job in jobs]
    claims = stages_claim(stage_ids=ids, holder="dies")
    assert stages_finish(claims=claims, record=lambda _: None), "it would send the next link"
    assert dispatch_once() == 0
    silent = timedelta(seconds=settings.ENVIRONMENT.silent_seconds)
    StageRun.objects.filter(job__in=jobs, state="ready").update(driven_at=Now() - silent * 1.1)
    assert stages_redrive() == 2
    assert dispatch_once() == 2
    (chain,) = sent(broker, "generate")
    assert [set(link) for link in chain] == [set(link) for link in stages_of(*jobs)[1:]]


def test_a_waiting_backlog_is_not_a_loss(broker: redis.Redis) -> None:
    job = make_job()
    job.stages.filter(state="ready").update(driven_at=Now() - timedelta(days=1))
    assert stages_redrive() == 0
