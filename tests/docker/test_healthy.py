"""`healthy.py` and `create_bucket.py` against the real servers."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from devstack.object_store import s3_client
from devstack.ports import free_port
from devstack.stack import Stack

FOLDER = Path(__file__).resolve().parents[2] / "docker"


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, FOLDER / script, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(*command: str, cwd: Path, **environment: str) -> Iterator[None]:
    """The process while the block runs, its output in a file of `cwd`."""
    with (cwd / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def becomes_healthy(what: str, seconds: float, **environment: str) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run("healthy.py", what, **environment).returncode == 0:
            return True
    return False


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_an_unknown_check_is_a_usage_error() -> None:
    assert run("healthy.py", "everything").returncode == 2


def test_web_behind_a_proxy_is_healthy_until_it_ends(tmp_path: Path) -> None:
    environment = {
        "GRANIAN_HOST": "127.0.0.1",
        "GRANIAN_PORT": str(free_port()),
        "GRANIAN_WORKERS": "1",
        "ALLOWED_HOSTS": ".images.example.org",
        "HTTPS": "true",
    }
    command = [program("granian"), "--interface", "asgi", "config.asgi:application"]
    with running(*command, cwd=tmp_path, **environment):
        healthy = becomes_healthy("web", 40, **environment)
    assert healthy, (tmp_path / "output").read_text()
    ended = run("healthy.py", "web", **environment)
    assert ended.returncode == 1
    assert "ConnectionRefusedError" in ended.stderr


@pytest.mark.services
def test_worker_is_healthy_by_a_fresh_row_of_this_host(committed: None) -> None:
    from django.utils import timezone

    from jobs.models import Worker

    host = f"celery@{socket.gethostname()}:"
    Worker.objects.filter(name__startswith=host).delete()
    Worker.objects.create(
        name=f"{host}1", queues=["io"], ready=True, seen_at=timezone.now() - timedelta(minutes=1)
    )
    Worker.objects.create(
        name="celery@another-host:1", queues=["io"], ready=True, seen_at=timezone.now()
    )
    silent = run("healthy.py", "worker")
    assert (silent.returncode, "was seen" in silent.stderr) == (1, True)

    Worker.objects.create(name=f"{host}2", queues=["io"], ready=False, seen_at=timezone.now())
    loading = run("healthy.py", "worker")
    assert (loading.returncode, "models" in loading.stderr) == (1, True)

    Worker.objects.filter(name=f"{host}2").update(ready=True, seen_at=timezone.now())
    healthy = run("healthy.py", "worker")
    assert (healthy.returncode, healthy.stderr) == (0, "")
    Worker.objects.filter(name__startswith="celery@").delete()


@pytest.mark.services
def test_dispatcher_is_healthy_while_the_database_hears_from_it() -> None:
    with Stack.temporary(services=("postgres",)) as stack:
        url = stack.environment["DATABASE_URL"]
        silent = run("healthy.py", "dispatcher", DATABASE_URL=url)
        assert (silent.returncode, "no query" in silent.stderr) == (1, True)
        with psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
            assert run("healthy.py", "dispatcher", DATABASE_URL=url).returncode == 0
    gone = run("healthy.py", "dispatcher", DATABASE_URL=url)
    assert (gone.returncode, "OperationalError" in gone.stderr) == (1, True)


@pytest.mark.services
def test_beat_is_healthy_while_the_broker_hears_from_it(tmp_path: Path) -> None:
    with Stack.temporary(services=("redis",)) as stack:
        url = stack.environment["REDIS_URL"]
        silent = run("healthy.py", "beat", REDIS_URL=url)
        assert (silent.returncode, "heard nothing" in silent.stderr) == (1, True)
        command = [program("celery"), "-A", "config", "beat", "-s", "schedule", "--pidfile="]
        with running(*command, cwd=tmp_path, REDIS_URL=url):
            assert becomes_healthy("beat", 40, REDIS_URL=url), (tmp_path / "output").read_text()
        assert list(tmp_path.glob("*.pid")) == []


@pytest.mark.services
def test_the_bucket_is_created_once(stack: Stack) -> None:
    environment = {**stack.environment, "S3_BUCKET": "made-by-the-one-shot"}
    first, again = (run("create_bucket.py", **environment) for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    s3_client(environment).head_bucket(Bucket=environment["S3_BUCKET"])
