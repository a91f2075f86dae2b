"""The client of docs/client.md, as printed, against the whole application."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from accounts.models import Scope
from accounts.services import api_key_create
from devstack.application import Application
from devstack.ports import free_port
from devstack.receiver import Receiver
from factories import make_tenant
from jobs.models import Job
from waiting import wait_until
from webhooks.endpoints import endpoint_create

PAGE = Path(__file__).resolve().parents[2] / "docs" / "client.md"

pytestmark = pytest.mark.usefixtures("application", "committed")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    files = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in files] == ["client.py", "paint.py", "hooks.py"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture(scope="module")
def url(application: Application) -> str:
    port = free_port()
    application.start_web(port)
    address = f"http://127.0.0.1:{port}"

    def alive() -> bool:
        try:
            return httpx.get(f"{address}/livez", timeout=5).is_success
        except httpx.TransportError:
            return False

    wait_until(alive, "the web process", 120)
    return address


def run(program: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=program, env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_job_is_painted_and_its_webhook_verified(
    program: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, port = make_tenant(), free_port()
    _, key = api_key_create(tenant=tenant, name="page", scopes=tuple(Scope))
    secret = endpoint_create(tenant_id=tenant.id, url=f"http://127.0.0.1:{port}/hooks").secret
    with Receiver(secret, port=port) as receiver:
        printed = run(program, "paint.py", API_URL=url, API_KEY=key).splitlines()
        delivery = receiver.wait_for(lambda one: one.verified, timeout=60)
    job = Job.objects.get(tenant=tenant)
    assert (job.status, job.n) == ("succeeded", 2)
    assert {"status queued", "decision allow", "decision release"} <= set(printed)
    assert printed[-3] == "end succeeded"
    links = [line.rsplit(" ", 1)[1] for line in printed[-2:]]
    for link in links:
        assert httpx.get(link).raise_for_status().content.startswith(b"\x89PNG")

    monkeypatch.syspath_prepend(str(program))
    from hooks import read_webhook

    event = read_webhook(secret, delivery.headers, delivery.body)
    assert (event["type"], event["data"]["id"]) == ("job.succeeded", str(job.id))
    with pytest.raises(WebhookVerificationError):
        read_webhook(secret, delivery.headers, delivery.body + b" ")


def test_a_submission_that_is_repeated_makes_one_job(
    program: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(program))
    monkeypatch.delitem(sys.modules, "client", raising=False)
    from client import ApiError, EthicalLens

    tenant = make_tenant()
    _, key = api_key_create(tenant=tenant, name="page", scopes=tuple(Scope))
    lost = []

    def lose_the_first_answer(response: httpx.Response) -> None:
        if not lost:
            lost.append(response)
            raise httpx.ReadError("the connection broke")

    with EthicalLens(url, key) as api:
        api.http.event_hooks = {"response": [lose_the_first_answer]}
        job = api.submit("a sailboat on the sea")
        assert lost
        assert [str(one.id) for one in Job.objects.filter(tenant=tenant)] == [job["id"]]
        assert api.wait(job["id"])["status"] == "succeeded"
        with pytest.raises(ApiError, match="invalid_request"):
            api.submit("")


def test_the_page_is_typed(program: Path) -> None:
    run(program, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "client.py", "paint.py",
        "hooks.py", PYTHONPATH="")  # fmt: skip
