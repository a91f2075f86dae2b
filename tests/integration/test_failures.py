"""Workers die, brokers restart, messages double: each job still ends once, told once."""

import hashlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings

from devstack.application import ROOT, WORKERS, Application
from devstack.ports import free_port
from devstack.receiver import Answer, Receiver
from devstack.stack import Stack
from factories import make_job, make_tenant
from jobs.dispatch import chain_publish
from jobs.models import Job, Outbox
from jobs.services import ScrutinyRequest, job_cancel, scrutiny_submit
from sent_pictures import harmless
from waiting import assert_one_end, wait_for_end, wait_for_stage, wait_until
from webhooks.endpoints import endpoint_create

pytestmark = pytest.mark.usefixtures("committed")

WORKER_OF = {
    "fetch": "worker-fetch",
    "inspect": "worker-pictures",
    "align": "worker-text",
    "generate": "worker-pictures",
    "scrutinise": "worker-pictures",
    "release": "worker-io",
}


class Rig:
    """The application with instrumented workers."""

    def __init__(self, application: Application, moments: Path) -> None:
        self.application, self.moments = application, moments
        self.supervisor = application.supervisor

    def start(self, worker: str, like: str | None = None, **environment: str) -> None:
        arguments = WORKERS[like or worker]
        self.supervisor.start(
            worker,
            [sys.executable, str(Path(__file__).with_name("instrumented_worker.py")), "worker",
             "-l", "INFO", "-n", f"{worker}@%h", "--without-gossip", "--without-mingle",
             *arguments],
            env={**self.application.environment, "MOMENTS": str(self.moments), **environment},
            log=self.application.logs / f"{worker}.log",
            cwd=ROOT,
        )  # fmt: skip

    @contextmanager
    def moment(self, name: str) -> Iterator[None]:
        path = self.moments / name
        path.touch()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            (self.moments / f"{name}.reached").unlink(missing_ok=True)

    def wait_for(self, moment: str) -> None:
        """Return once a worker waits there."""
        wait_until((self.moments / f"{moment}.reached").exists, f"a worker to reach {moment}")

    @contextmanager
    def second(self, worker: str, **environment: str) -> Iterator[str]:
        name = f"{worker}-2"
        self.start(name, like=worker, **environment)
        try:
            wait_until(lambda: "ready." in self.log(name), f"{name} to start")
            yield name
        finally:
            self.supervisor.stop(name)
            (self.application.logs / f"{name}.log").write_text("")

    def log(self, worker: str) -> str:
        path = self.application.logs / f"{worker}.log"
        return path.read_text(errors="replace") if path.exists() else ""


@pytest.fixture(scope="module")
def rig(make_application: Callable[..., Application]) -> Rig:
    # Pictures may be fetched from this machine.
    application = make_application(PICTURE_ALLOWED_NETWORKS="127.0.0.0/8")
    application.start_dispatcher()
    application.start_beat()
    rig = Rig(application, Path(tempfile.mkdtemp(prefix="ethical-lens-moments-")))
    for worker in WORKERS:
        rig.start(worker)
    return rig


@pytest.mark.parametrize("moment", ["claimed", "worked"])
@pytest.mark.parametrize("stage", ["align", "generate", "scrutinise", "release"])
def test_a_killed_worker_costs_nothing(rig: Rig, stage: str, moment: str) -> None:
    with rig.moment(f"{stage}-{moment}"):
        job = make_job(n=2)
        rig.wait_for(f"{stage}-{moment}")
        assert job.stages.get(stage=stage).state == "running"
        rig.supervisor.kill(WORKER_OF[stage], signal.SIGKILL)
    wait_for_end(job)
    assert_one_end(job, "succeeded")
    assert job.stages.get(stage=stage).attempts == 2
    assert [picture.versions.count() for picture in job.pictures.all()] == [1, 1]


@pytest.mark.parametrize("moment", ["claimed", "worked"])
@pytest.mark.parametrize("stage", ["fetch", "inspect"])
def test_a_worker_killed_over_a_sent_picture_costs_nothing(
    rig: Rig, shelf: Callable[[bytes], str], stage: str, moment: str
) -> None:
    content = harmless()
    with rig.moment(f"{stage}-{moment}"):
        request = ScrutinyRequest(pictures=(shelf(content),))
        job = scrutiny_submit(tenant=make_tenant(), request=request)
        rig.wait_for(f"{stage}-{moment}")
        assert job.stages.get(stage=stage).state == "running"
        rig.supervisor.kill(WORKER_OF[stage], signal.SIGKILL)
    wait_for_end(job)
    assert_one_end(job, "succeeded")
    assert job.stages.get(stage=stage).attempts == 2
    sent = job.sent.get()
    assert sent.sha256 == hashlib.sha256(content).hexdigest()
    assert job.decisions.filter(stage="inspect").count() == 1


def test_a_zombie_that_wakes_after_its_token_is_gone_changes_nothing(rig: Rig) -> None:
    with rig.moment("generate-worked"):
        job = make_job()
        rig.wait_for("generate-worked")
        rig.supervisor.kill("worker-pictures", signal.SIGSTOP)
    try:
        with rig.second("worker-pictures"):
            wait_for_end(job)
            before = list(job.stages.values()), list(job.decisions.values())
            rig.supervisor.kill("worker-pictures", signal.SIGCONT)
            wait_until(
                lambda: "no longer held under token" in rig.log("worker-pictures"),
                "the zombie to notice",
            )
    finally:
        rig.supervisor.kill("worker-pictures", signal.SIGCONT)
    assert_one_end(job, "succeeded")
    assert (list(job.stages.values()), list(job.decisions.values())) == before
    assert job.pictures.get().versions.count() == 1


def test_a_riders_own_message_finds_its_stage_leased_and_stops(rig: Rig) -> None:
    tenant = make_tenant()
    with rig.moment("generate-claimed"):
        with rig.moment("scrutinise-claimed"):  # keeps the one worker busy meanwhile
            blocker = make_job(tenant, steps=9)
            (rig.moments / "generate-claimed").unlink()
            wait_for_stage(blocker, "scrutinise", "running")
            (rig.moments / "generate-claimed").touch()
            pair = []
            for _ in range(2):  # admitted in one turn, they would go by one message
                pair.append(make_job(tenant))
                wait_for_stage(pair[-1], "generate", "ready")
        for job in pair:  # the worker takes one message and claims both
            wait_for_stage(job, "generate", "running")
        with rig.second("worker-pictures") as second:
            wait_until(
                lambda: "ignored" in rig.log(second), "the rider's own message to be ignored"
            )
            assert [job.stages.get(stage="generate").state for job in pair] == ["running"] * 2
    for job in (blocker, *pair):
        wait_for_end(job)
        assert_one_end(job, "succeeded")
    assert len({job.stages.get(stage="generate").holder for job in pair}) == 1
    assert [job.stages.get(stage="generate").attempts for job in pair] == [1, 1]


def test_the_same_messages_twice_at_once_work_once(rig: Rig) -> None:
    with rig.second("worker-text"), rig.moment("align-claimed"):
        job = make_job()
        wait_for_stage(job, "align", "running")
        stages = job.stages.order_by("position")
        links = [(run.stage, [run.id]) for run in stages]
        for _ in range(3):
            chain_publish(links)
        time.sleep(1)
    wait_for_end(job)
    assert_one_end(job, "succeeded")
    assert set(job.stages.values_list("attempts", flat=True)) == {1}


def test_a_stage_that_always_fails_ends_its_job(rig: Rig) -> None:
    with rig.moment("generate-fails"):
        job = wait_for_end(make_job())
    assert_one_end(job, "failed")
    assert job.reason == "generate_failed"
    assert job.stages.get(stage="generate").attempts == settings.ENVIRONMENT.stage_attempts
    assert "as told" in job.stages.get(stage="generate").error


def test_scrutiny_that_always_fails_releases_nothing(rig: Rig) -> None:
    with rig.moment("scrutinise-fails"):
        job = make_job(n=2)
        wait_until(lambda: job.events.exists(), "the job to be held")
    job.refresh_from_db()
    assert (job.status, job.reason) == ("needs_review", "scrutinise_failed")
    assert {picture.status for picture in job.pictures.all()} == {"in_review"}
    assert {picture.released_key for picture in job.pictures.all()} == {""}


def test_a_poisonous_job_fails_alone(rig: Rig) -> None:
    tenant = make_tenant()
    with rig.moment("generate-dies"):
        with rig.moment("scrutinise-claimed"):
            blocker = make_job(tenant, steps=9)
            wait_for_stage(blocker, "scrutinise", "running")
            poison = make_job(tenant, prompt="a bottle of poison on a table")
            neighbours = [make_job(tenant), make_job(tenant)]
            for job in (poison, *neighbours):
                wait_for_stage(job, "generate", "ready")
        for job in neighbours:
            wait_for_end(job, timeout=120)
            assert_one_end(job, "succeeded")
        wait_for_end(poison, timeout=120)
    assert_one_end(poison, "failed")
    assert poison.stages.get(stage="generate").attempts == settings.ENVIRONMENT.stage_attempts
    assert max(job.stages.get(stage="generate").attempts for job in neighbours) == 2


def test_a_cancel_in_mid_chain_ends_it(rig: Rig) -> None:
    with rig.moment("generate-claimed"):
        job = make_job()
        wait_for_stage(job, "generate", "running")
        assert job_cancel(job_id=job.id).status == "canceled"
    time.sleep(1)
    assert_one_end(job, "canceled")
    assert not job.pictures.get().versions.exists()


def test_past_its_deadline_a_stage_ends_with_its_process(rig: Rig) -> None:
    rig.supervisor.stop("worker-text")
    try:
        with rig.moment("align-claimed"), rig.second("worker-text", STAGE_DEADLINE_SECONDS="2"):
            job = make_job()
            wait_until(
                lambda: "past the deadline" in rig.log("worker-text-2"), "the process to end"
            )
    finally:
        rig.start("worker-text")
    wait_for_end(job)
    assert_one_end(job, "succeeded")
    assert job.stages.get(stage="align").attempts >= 2


def test_a_warm_shutdown_finishes_the_stage_under_way(rig: Rig) -> None:
    with rig.second("worker-pictures"):
        with rig.moment("generate-claimed"):
            job = make_job()
            wait_for_stage(job, "generate", "running")
            holder = job.stages.get(stage="generate").holder
            name = "worker-pictures-2" if "-2@" in holder else "worker-pictures"
            rig.supervisor.kill(name, signal.SIGTERM)
            time.sleep(0.5)
        wait_for_end(job)
    assert_one_end(job, "succeeded")
    assert job.stages.get(stage="generate").attempts == 1


def test_redis_restarted_in_mid_job(rig: Rig, stack: Stack) -> None:
    with rig.moment("generate-claimed"):
        job = make_job()
        wait_for_stage(job, "generate", "running")
        stack.restart_redis()
    wait_for_end(job, timeout=90)
    assert_one_end(job, "succeeded")
    wait_for_end(make_job(), timeout=90)


def test_a_wiped_broker_is_rebuilt_from_the_database(rig: Rig) -> None:
    with rig.moment("align-claimed"):
        job = make_job()
        wait_for_stage(job, "align", "running")
        second = make_job()
        wait_until(lambda: not Outbox.objects.filter(job=second).exists(), "its message")
        redis.Redis.from_url(settings.ENVIRONMENT.redis_url).flushall()
    for one in (job, second):
        wait_for_end(one, timeout=90)
        assert_one_end(one, "succeeded")


def test_a_broker_that_is_down_at_submit_delays_and_loses_nothing(rig: Rig, stack: Stack) -> None:
    stack.stop_redis()
    try:
        job = make_job()
        time.sleep(2)
        assert Outbox.objects.filter(job=job).exists()
        assert Job.objects.get(pk=job.pk).status == "queued"
    finally:
        stack.start_redis()
    wait_for_end(job, timeout=90)
    assert_one_end(job, "succeeded")


def test_an_object_store_that_is_down_uses_up_no_attempt(rig: Rig, stack: Stack) -> None:
    with rig.moment("scrutinise-claimed"):
        job = make_job()
        wait_for_stage(job, "scrutinise", "running")
        stack.stop_s3()
    try:
        wait_until(
            lambda: "StorageUnavailable" in job.stages.get(stage="scrutinise").error, "the error"
        )
    finally:
        stack.start_s3()
    wait_for_end(job, timeout=90)
    assert_one_end(job, "succeeded")
    assert job.stages.get(stage="scrutinise").attempts == 1


def test_postgres_restarted_in_mid_job(rig: Rig, stack: Stack) -> None:
    with rig.moment("generate-claimed"):
        job = make_job()
        wait_for_stage(job, "generate", "running")
        stack.restart_postgres()
    from django.db import connection

    connection.close()
    wait_for_end(job, timeout=90)
    assert_one_end(job, "succeeded")


def test_a_webhooks_worker_killed_while_it_delivers_delivers_again(rig: Rig) -> None:
    tenant = make_tenant()
    port = free_port()
    endpoint = endpoint_create(tenant_id=tenant.id, url=f"http://127.0.0.1:{port}/webhooks")
    with Receiver(endpoint.secret, port=port, answers=[Answer(500, delay=1.5)]) as receiver:
        job = make_job(tenant)
        receiver.wait_for(lambda received: received.verified, timeout=60)
        rig.supervisor.kill("worker-webhooks", signal.SIGKILL)
        wait_until(lambda: len(receiver.received()) >= 2, "the second try")
        first, second = receiver.received()[:2]
    assert first.id == second.id == str(job.events.get().id)
    assert second.answered == 204
    assert_one_end(job, "succeeded")
    delivery = job.events.get().deliveries.get()
    wait_until(lambda: not delivery.refresh_from_db() and delivery.status == "delivered", "the row")
