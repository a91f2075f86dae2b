"""The three services for real: start, stop, restart, data, two at once, and the ways it ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
import redis

from devstack.errors import StackError
from devstack.object_store import s3_client
from devstack.ports import LOOPBACK
from devstack.stack import Stack

Script = Callable[..., subprocess.Popen[str]]
Gone = Callable[..., bool]

NAMES = {
    "DATABASE_URL",
    "REDIS_URL",
    "S3_ENDPOINT_URL",
    "S3_BUCKET",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "S3_REGION",
}


def database(stack: Stack) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True)


def test_every_service_answers_at_its_address(stack: Stack) -> None:
    assert set(stack.environment) == NAMES
    with database(stack) as connection:
        assert connection.info.dbname == "ethical_lens"
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("show fsync").fetchone() == ("off",)
    with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    s3 = s3_client(stack.environment)
    s3.put_object(Bucket=stack.environment["S3_BUCKET"], Key="a/b", Body=b"picture")
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": stack.environment["S3_BUCKET"], "Key": "a/b"}
    )
    with urlopen(url) as answer:
        assert answer.read() == b"picture"


def test_each_service_comes_back_with_its_address_and_its_data(stack: Stack) -> None:
    before = dict(stack.environment)
    bucket = before["S3_BUCKET"]
    with database(stack) as connection:
        connection.execute("create table kept as select 42 as answer")
    with redis.Redis.from_url(before["REDIS_URL"]) as client:
        client.set("kept", "42")
    s3_client(before).put_object(Bucket=bucket, Key="kept", Body=b"42", Metadata={"job": "7"})

    stack.restart_postgres()
    stack.stop_redis()
    with (
        redis.Redis.from_url(before["REDIS_URL"]) as client,
        pytest.raises(redis.ConnectionError),
    ):
        client.ping()
    stack.start_redis()
    stack.restart_s3()

    assert stack.environment == before
    with database(stack) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    with redis.Redis.from_url(before["REDIS_URL"]) as client:
        assert client.get("kept") == b"42"
    stored = s3_client(before).get_object(Bucket=bucket, Key="kept")
    assert (stored["Body"].read(), stored["Metadata"]) == (b"42", {"job": "7"})


def test_a_killed_service_can_be_started_again(stack: Stack, gone: Gone) -> None:
    for name, start in (
        ("postgres", stack.start_postgres),
        ("redis", stack.start_redis),
        ("s3", stack.start_s3),
    ):
        pid = stack.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert gone(pid)
        while stack.pid(name) is not None:
            # Its last threads are still ending.
            time.sleep(0.01)
        start()
        assert stack.pid(name) not in {None, pid}


@pytest.mark.parametrize("empty", [False, True])
def test_a_pid_file_left_by_a_crash_is_no_obstacle(stack: Stack, empty: bool) -> None:
    file = stack.root / "postgres" / "postmaster.pid"
    content = file.read_text()
    stack.stop_postgres()
    # The number of the dead server belongs to some other program by now, here to this one; or
    # the crash came before anything was written.
    rest = content.partition("\n")[2]
    file.write_text("" if empty else f"{os.getpid()}\n{rest}")
    stack.start_postgres()
    with database(stack) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_nothing_listens_beyond_this_machine(stack: Stack) -> None:
    pids = {stack.pid(name) for name in ("redis", "s3")}
    inodes = {
        str(link.readlink())
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                listening.add(columns[1].split(":")[0])
    loopback = f"{int.from_bytes(socket.inet_aton(LOOPBACK), 'little'):08X}"
    assert listening == {loopback}


def test_two_stacks_run_at_once_and_one_serves_the_other_as_outside(
    stack: Stack, gone: Gone
) -> None:
    with Stack.temporary() as other:
        own = [pid for name in ("postgres", "redis", "s3") if (pid := other.pid(name))]
        assert len(own) == 3
        assert all(
            other.environment[name] != stack.environment[name]
            for name in ("DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL")
        )
        with Stack.temporary(other.environment) as guest:
            assert guest.environment == other.environment
            with pytest.raises(StackError, match="not started by this stack"):
                guest.restart_redis()
        # The guest stopped nothing of what it was given.
        assert not gone(*own, within=0)
        root = other.root
    assert gone(*own)
    assert not root.exists()


def test_data_secrets_and_addresses_are_kept_for_the_next_day(tmp_path_traversable: Path) -> None:
    with Stack(tmp_path_traversable, {}) as first:
        addresses = dict(first.environment)
        with database(first) as connection:
            assert connection.execute("show fsync").fetchone() == ("on",)
            connection.execute("create table kept as select 1 as one")
        s3_client(addresses).put_object(Bucket=addresses["S3_BUCKET"], Key="kept", Body=b"1")
        with pytest.raises(StackError, match=f"process {os.getpid()}") as refused:
            Stack(tmp_path_traversable, {}).__enter__()
        assert "\n" not in str(refused.value)
    settings = tmp_path_traversable / "stack.json"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    for folder in ("postgres", "redis", "s3", "logs"):
        assert stat.S_IMODE((tmp_path_traversable / folder).stat().st_mode) == 0o700

    with Stack(tmp_path_traversable, {}) as second:
        assert second.environment == addresses
        with database(second) as connection:
            assert connection.execute("select one from kept").fetchone() == (1,)
        stored = s3_client(addresses).get_object(Bucket=addresses["S3_BUCKET"], Key="kept")
        assert stored["Body"].read() == b"1"


RUN_UNTIL_STOPPED = """
    import sys, time
    from pathlib import Path
    from devstack.stack import Stack

    root, *names = sys.argv[1:]
    make = Stack.temporary(services=names) if root == "temporary" else Stack(
        Path(root), {}, services=names)
    with make as stack:
        print(stack.root, *(stack.pid(name) for name in names), flush=True)
        time.sleep(60)
"""


def first_line(process: subprocess.Popen[str]) -> tuple[Path, list[int]]:
    assert process.stdout is not None
    root, *pids = process.stdout.readline().split()
    return Path(root), [int(pid) for pid in pids]


@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGINT]]
)
def test_a_stop_by_signal_leaves_nothing_behind(
    run_script: Script, gone: Gone, signals: list[signal.Signals]
) -> None:
    process = run_script(RUN_UNTIL_STOPPED, "temporary", "redis")
    root, pids = first_line(process)
    for number in signals:
        process.send_signal(number)
    process.wait(20)
    assert gone(*pids, within=0)
    assert not root.exists()


def test_a_killed_stack_takes_its_services_along_and_starts_again(
    run_script: Script, gone: Gone, tmp_path_traversable: Path
) -> None:
    process = run_script(RUN_UNTIL_STOPPED, str(tmp_path_traversable), "postgres", "redis")
    root, pids = first_line(process)
    assert root == tmp_path_traversable
    process.kill()
    process.wait()
    # At once, while the old servers may still be writing their last.
    with Stack(root, {}, services=["postgres", "redis"]) as stack:
        assert gone(*pids, within=0)
        assert {stack.pid("postgres"), stack.pid("redis")}.isdisjoint({*pids, None})


def test_an_interrupted_start_leaves_nothing_behind(run_script: Script) -> None:
    process = run_script(
        """
        import os, signal, threading
        from devstack.stack import Stack
        stack = Stack.temporary()
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        try:
            with stack:
                print("started")
        except KeyboardInterrupt:
            print("interrupted", [stack.pid(name) for name in stack._services], stack.root)
        """
    )
    output, errors = process.communicate(timeout=30)
    assert output.split() == ["interrupted", "[None,", "None,", "None]", "."], errors
