"""Receivers on loopback, good and bad, and deliveries on their way to them.

pytest may read this file before Django is set up, so models are imported where they are used.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

from devstack.ports import LOOPBACK, free_port
from devstack.receiver import Answer, Receiver

if TYPE_CHECKING:
    from webhooks.models import Delivery

Answering = Callable[[socket.socket], None]


@pytest.fixture
def deliver_to() -> Callable[..., Delivery]:
    """A pending delivery to the given URL, of a tenant of its own."""
    from factories import make_job, make_tenant
    from webhooks.endpoints import endpoint_create
    from webhooks.models import EventType
    from webhooks.services import event_record

    def make(url: str) -> Delivery:
        tenant = make_tenant()
        endpoint_create(tenant_id=tenant.id, url=url)
        job = make_job(tenant)
        event = event_record(
            tenant_id=tenant.id,
            job_id=job.id,
            type=EventType.JOB_SUCCEEDED,
            sequence=1,
            data={"id": str(job.id), "note": "ein Männchen"},
        )
        return event.deliveries.get()

    return make


@pytest.fixture
def receiving(
    deliver_to: Callable[..., Delivery],
) -> Iterator[Callable[..., tuple[Receiver, Delivery]]]:
    """A receiver that answers as scripted, and a delivery to it signed with its secret."""
    with contextlib.ExitStack() as stack:

        def make(*answers: Answer | int) -> tuple[Receiver, Delivery]:
            port = free_port()
            delivery = deliver_to(f"http://{LOOPBACK}:{port}/webhooks")
            receiver = Receiver(delivery.endpoint.secret, port=port, answers=answers)
            return stack.enter_context(receiver), delivery

        yield make


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Listen with a function that gets each connection; the port."""
    listeners: list[socket.socket] = []

    def start(answering: Answering, host: str = LOOPBACK, port: int = 0) -> int:
        listener = socket.create_server((host, port))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            # That the other side hangs up is what many of these tests are about.
            with connection, contextlib.suppress(OSError):
                answering(connection)

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have a name resolve to these answers, one list of addresses per look-up, the last for good.

    Returns the list in which every look-up of the name is noted.
    """
    real = socket.getaddrinfo
    scripts: dict[str, list[list[str]]] = {}
    asked: list[str] = []

    def look_up(host: str, port: int, *args: int, **kwargs: int) -> list[object]:
        script = scripts.get(host)
        if script is None:
            return list(real(host, port, *args, **kwargs))
        asked.append(host)
        addresses = script.pop(0) if len(script) > 1 else script[0]
        return [entry for a in addresses for entry in real(a, port, type=socket.SOCK_STREAM)]

    def answer(name: str, *answers: list[str]) -> list[str]:
        scripts[name] = list(answers)
        return asked

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answer


@pytest.fixture
def environment(settings: Settings) -> Callable[..., None]:
    """Change settings of the environment for one test."""

    def change(**changes: object) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changes)

    return change
