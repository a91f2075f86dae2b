"""Waiting for what other processes do, with a bound."""

import contextlib
import time
from collections.abc import Callable

import httpx

from jobs.models import Job
from jobs.states import TERMINAL


def wait_until(condition: Callable[[], object], what: str, timeout: float = 60.0) -> None:
    """Return once `condition` holds; fail the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout:.0f} s in vain: {what}"
        time.sleep(0.05)


def wait_for_web(url: str) -> None:
    """Return once the web process at `url` answers."""

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/livez", timeout=2).is_success
        return False

    wait_until(answers, "the web process", 90)


def wait_for_end(job: Job, timeout: float = 60.0) -> Job:
    """The job once it has ended."""

    def ended() -> bool:
        job.refresh_from_db()
        return job.status in TERMINAL

    wait_until(ended, f"job {job.id} to end; it is {job.status}", timeout)
    return job


def wait_for_stage(job: Job, stage: str, state: str, timeout: float = 60.0) -> None:
    """Wait until the job's stage of round 1 is in `state`."""
    wait_until(
        lambda: job.stages.filter(stage=stage, round=1, state=state).exists(),
        f"{stage} of job {job.id} to be {state}",
        timeout,
    )


def assert_one_end(job: Job, *allowed: str) -> None:
    """One terminal state, one terminal event, one charge, no stage left open."""
    job.refresh_from_db()
    assert job.status in allowed, (job.status, job.reason, list(job.stages.values()))
    assert [event.type for event in job.events.all()] == [f"job.{job.status}"]
    assert job.usage.tenant_id == job.tenant_id
    assert not job.stages.filter(state__in=["waiting", "ready", "running"]).exists()
