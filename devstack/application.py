"""The processes of the application itself: web, workers, dispatcher, beat."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from devstack.errors import StackError, with_log
from devstack.processes import Supervisor
from ethical_lens.sources import MINI

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120.0

WORKERS: Mapping[str, Sequence[str]] = {
    "worker-text": ("--pool", "solo", "-Q", "text"),
    "worker-pictures": ("--pool", "solo", "-Q", "scrutinise,generate"),
    "worker-fetch": ("--pool", "threads", "-c", "8", "-Q", "fetch"),
    "worker-io": ("--pool", "threads", "-c", "4", "-Q", "io"),
    "worker-webhooks": ("--pool", "threads", "-c", "16", "-Q", "webhooks"),
}


def application_environment(
    services: Mapping[str, str], *, web_port: int, secret_key: str
) -> dict[str, str]:
    """The environment of every process, on top of this one's."""
    return {
        **os.environ,
        **services,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secret_key,
        "MODELS": os.environ.get("MODELS", MINI),
        "PUBLIC_URL": f"http://127.0.0.1:{web_port}",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{web_port}",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "OUTGOING_PORTS": "1-65535",
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "1"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


def secret_key_of(folder: Path) -> str:
    """The signing key of this installation, made on first use, readable by its owner only."""
    path = folder / "secret-key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


class Application:
    """Starts the application's processes under a supervisor, and runs its commands."""

    def __init__(self, supervisor: Supervisor, environment: Mapping[str, str], logs: Path) -> None:
        self.supervisor = supervisor
        self.environment = dict(environment)
        self.logs = logs

    def command(self, *arguments: str) -> str:
        """Run `python …` to its end and return what it printed.

        Raises `StackError` with the end of its log where it fails.
        """
        log = self.logs / "commands.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as errors:
            done = subprocess.run(
                [sys.executable, *arguments], env=self.environment, cwd=ROOT,
                stdout=subprocess.PIPE, stderr=errors, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            raise StackError(with_log(f"python {' '.join(arguments[:2])} failed", log))
        return done.stdout

    def migrate(self) -> None:
        self.command("manage.py", "migrate", "--verbosity", "0")

    def start_web(self, port: int) -> None:
        self._start(
            "web",
            [
                str(Path(sys.executable).with_name("granian")),
                "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port),
                "--no-ws", "--workers", "1", "config.asgi:application",
            ],
        )  # fmt: skip

    def start_dispatcher(self, name: str = "dispatcher") -> None:
        self._start(name, [sys.executable, "manage.py", "dispatcher"])

    def start_beat(self) -> None:
        schedule = self.logs / "beat-schedule"
        self._start("beat", [*self._celery(), "beat", "-l", "INFO", "-s", str(schedule)])

    def start_worker(self, name: str, arguments: Sequence[str] | None = None) -> None:
        """Start a worker by its name in `WORKERS`, or with arguments of its own."""
        self._start(
            name,
            [*self._celery(), "worker", "-l", "INFO", "-n", f"{name}@%h", "--without-gossip",
             "--without-mingle", *(arguments or WORKERS[name])],
        )  # fmt: skip

    def start_all(self, web_port: int) -> None:
        """Start everything and wait until every queue is served.

        Raises `StackError` where a process fails or it takes longer than two minutes.
        """
        self.start_web(web_port)
        self.start_dispatcher()
        self.start_beat()
        for name in WORKERS:
            self.start_worker(name)
        self.wait_until_ready(web_port)

    def wait_until_ready(self, web_port: int, timeout: float = START_SECONDS) -> dict[str, Any]:
        """Wait for `/readyz` to say that every queue has a ready worker; what it said."""
        url, last = f"http://127.0.0.1:{web_port}/readyz", "no answer"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.supervisor.check()
            try:
                health: dict[str, Any] = httpx.get(url, timeout=5).json()
                if health.get("database") and all(health["queues"].values()):
                    return health
                last = json.dumps(health.get("queues"))
            except (httpx.HTTPError, ValueError) as error:
                last = str(error)
            time.sleep(0.3)
        raise StackError(f"Not ready after {timeout:.0f} s ({last}). Logs: {self.logs}")

    def _celery(self) -> list[str]:
        return [sys.executable, "-m", "celery", "-A", "config"]

    def _start(self, name: str, argv: list[str]) -> None:
        self.supervisor.start(
            name, argv, env=self.environment, log=self.logs / f"{name}.log", cwd=ROOT
        )
