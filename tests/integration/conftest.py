"""The application in processes of its own, on the services of the run."""

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.application import Application, application_environment
from devstack.ports import free_port
from devstack.processes import Supervisor

WORKERS = ("worker-text", "worker-pictures", "worker-fetch", "worker-io", "worker-webhooks")


@pytest.fixture(scope="module")
def nothing_left_over(django_db_setup: None, django_db_blocker: Any) -> None:
    """What other tests committed and sent is put aside: workers have only this module's jobs."""
    import redis
    from django.conf import settings

    from jobs.models import IN_FLIGHT_VALUES, Job, Outbox, StageRun

    with django_db_blocker.unblock():
        Outbox.objects.all().delete()
        StageRun.objects.filter(state__in=["ready", "running"]).update(
            state="skipped", lease_expires_at=None
        )
        # Else they keep their places in the dispatcher's window.
        Job.objects.filter(status__in=IN_FLIGHT_VALUES).update(admitted_at=None)
    redis.Redis.from_url(settings.ENVIRONMENT.redis_url).flushall()


@pytest.fixture(scope="module")
def make_application(nothing_left_over: None) -> Iterator[Callable[..., Application]]:
    """Makes an application under a supervisor of its own; nothing is started yet."""
    logs = Path(tempfile.mkdtemp(prefix="ethical-lens-logs-"))
    with Supervisor(grace=20, backoff=0.1, longest_backoff=1, most_restarts=50) as supervisor:

        def make(**environment: str) -> Application:
            base = application_environment({}, web_port=1, secret_key=os.environ["SECRET_KEY"])
            return Application(supervisor, {**base, **environment}, logs)

        yield make


@pytest.fixture(scope="module")
def application(make_application: Callable[..., Application]) -> Application:
    """Dispatcher, beat and all workers, running and ready."""
    application = make_application()
    application.start_dispatcher()
    application.start_beat()
    for worker in WORKERS:
        application.start_worker(worker)
    return application


@pytest.fixture(scope="module")
def address(make_application: Callable[..., Application]) -> str:
    """Where the web process answers, with dispatcher and the workers that paint and judge."""
    from waiting import wait_for_web

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    application = make_application(PUBLIC_URL=url)
    application.start_web(port)
    application.start_dispatcher()
    for worker in ("worker-text", "worker-pictures", "worker-fetch", "worker-io"):
        application.start_worker(worker)
    wait_for_web(url)
    return url


@pytest.fixture
def shelf() -> Iterator[Callable[[bytes], str]]:
    """Serves one picture over HTTP, as often as it is asked for; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(content: bytes) -> str:
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)

            def answer() -> None:
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:  # the test is over
                        return
                    with connection:
                        connection.recv(65536)
                        connection.sendall(head + content)

            threading.Thread(target=answer, daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/picture"

        yield serve
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def key(tenant: Any) -> str:
    """A new key of `tenant`, with all scopes."""
    from accounts.models import Scope
    from accounts.services import api_key_create

    _, key = api_key_create(tenant=tenant, name="test", scopes=tuple(Scope))
    return key


@pytest.fixture
def options(address: str, key: str) -> dict[str, Any]:
    """What OpenAI's clients need to speak with the application."""
    return {"base_url": f"{address}/v1", "api_key": key, "timeout": 120}


@pytest.fixture(autouse=True)
def _on_failure_show_logs(
    request: pytest.FixtureRequest, make_application: Callable[..., Application]
) -> Iterator[None]:
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        folder = make_application().logs
        for log in sorted(folder.glob("*.log")):
            tail: Any = log.read_text(errors="replace").splitlines()[-25:]
            print(f"--- {log.name}", *tail, sep="\n")
