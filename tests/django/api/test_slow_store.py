"""A store that takes its time holds no database connection: a web process with a pool of one."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from factories import make_tenant
from live_web import Web
from sent_pictures import data_url, harmless

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("committed")]


class SilentStore:
    """Takes connections and answers nothing."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self._server.accept()
            except OSError:
                return
            self._taken.append(taken)
            self.asked.set()

    def close(self) -> None:
        for one in [self._server, *self._taken]:
            one.close()


@pytest.fixture
def store() -> Iterator[SilentStore]:
    store = SilentStore()
    yield store
    store.close()


def test_an_upload_that_hangs_leaves_the_connection_to_others(
    start_web: Callable[..., Web], later: Callable[..., Future[Any]], store: SilentStore
) -> None:
    web = start_web(DATABASE_POOL_SIZE="1", S3_ENDPOINT_URL=store.url)
    with web.client(make_tenant()) as client:
        body = {"pictures": [{"url": data_url(harmless())}]}
        upload = later(client.post, "/api/v1/moderations", json=body)
        assert store.asked.wait(20)
        assert client.get("/api/v1/jobs", timeout=9).status_code == 200, "a pool waits ten seconds"
        assert not upload.done()
        store.close()
        assert upload.result(80).status_code == 503
