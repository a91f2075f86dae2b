"""The whole API against its own document, by schemathesis: every check, links followed.

A web process of its own answers, on the services of the run. No case may fail, and none may be
answered with a server error. `contract/` has the settings, with what no schema can say.
"""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.db import connection

from accounts.models import APIKey, Scope, Tenant
from accounts.services import api_key_create
from devstack.application import Application
from devstack.ports import free_port
from factories import make_tenant
from jobs.models import Job
from jobs.services import job_cancel
from jobs.states import TERMINAL
from waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed")

FOLDER = Path(__file__).with_name("contract")
CASES = 2000
UNBOUNDED = {
    # Wrong keys are tried from this machine, too, and many requests made in a minute.
    "QUOTA_FAILED_ATTEMPTS_PER_MINUTE": "0",
    "QUOTA_REQUESTS_PER_MINUTE": "0",
    "QUOTA_JOBS_IN_FLIGHT": "0",
    "QUEUE_LIMIT": "0",
}


class Contract:
    """A running API, and a key of a tenant of its own."""

    def __init__(self, url: str, row: APIKey, key: str) -> None:
        self.url, self.row, self.key = url, row, key

    @property
    def tenant(self) -> Tenant:
        return self.row.tenant

    def run(self, *arguments: str, prefix: str = "/api/v1") -> int:
        """Run schemathesis over the document below the prefix; how many cases it sent. Fails the
        test with what it printed."""
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "--config-file", "schemathesis.toml", "run", f"{self.url}{prefix}/openapi.json",
                "--continue-on-failure", "--no-color", "--seed", "7",
                *arguments,
            ],
            cwd=FOLDER, capture_output=True, text=True, check=False,
            env={**os.environ, "CONTRACT_KEY": self.key, "CONTRACT_KEY_ID": str(self.row.id),
                 "COLUMNS": "160"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        answer = httpx.get(
            f"{self.url}/api/v1/jobs", headers={"Authorization": f"Bearer {self.key}"}, timeout=60
        )
        assert answer.status_code == 200, "the key was good to the end"
        generated = re.search(r"^\s*(\d+) generated", done.stdout, re.MULTILINE)
        assert generated, done.stdout[-2000:]
        return int(generated[1])


@pytest.fixture(scope="module")
def contract(make_application: Callable[..., Application], django_db_blocker: object) -> Contract:
    port = free_port()
    application = make_application(**UNBOUNDED)
    application.start_web(port)
    url = f"http://127.0.0.1:{port}"

    def alive() -> bool:
        try:
            return httpx.get(f"{url}/livez", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    wait_until(alive, "the web process", 120)
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        row, key = api_key_create(tenant=make_tenant(), name="contract", scopes=tuple(Scope))
    return Contract(url, row, key)


@pytest.mark.timeout(900)
def test_the_api_is_what_its_document_says(contract: Contract) -> None:
    assert contract.run("--max-examples", "3", "--no-shrink") > 500


@contextmanager
def canceling(tenant: Tenant) -> Iterator[None]:
    """Cancels every job of the tenant meanwhile: requests that wait for the end of one are answered
    though nothing works here."""
    done = threading.Event()

    def cancel() -> None:
        jobs = Job.objects.filter(tenant=tenant).exclude(status__in=TERMINAL)
        while not done.wait(0.05):
            for job_id in jobs.values_list("id", flat=True):
                job_cancel(job_id=job_id)
        connection.close()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.timeout(900)
def test_the_routes_in_openais_shape_are_what_their_document_says(contract: Contract) -> None:
    with canceling(contract.tenant):
        assert contract.run("--max-examples", "10", "--no-shrink", prefix="/v1") > 100


@pytest.mark.load
@pytest.mark.timeout(3600)
def test_the_api_is_what_its_document_says_in_many_cases(contract: Contract) -> None:
    cases = contract.run("--max-examples", "60")
    assert cases >= CASES
