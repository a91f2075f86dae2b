"""The supervisor, on small real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.processes import Supervisor, free_port

Script = Callable[..., subprocess.Popen[str]]
Gone = Callable[..., bool]

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
)
# Starts a child of its own, says its number, and waits.
PARENT = (
    "import subprocess, sys, time;"
    "print(subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)']).pid,"
    "flush=True); time.sleep(60)"
)


def until(condition: Callable[[], bool], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_child_is_restarted_and_all_are_stopped(tmp_path: Path, gone: Gone) -> None:
    with Supervisor(backoff=0.05) as supervisor:
        first = supervisor.start("worker", SLEEP, env={}, log=tmp_path / "worker.log")
        web = supervisor.start("web", SLEEP, env={}, log=tmp_path / "web.log")
        assert supervisor.names == ("worker", "web")
        supervisor.kill("worker", signal.SIGKILL)
        assert until(lambda: supervisor.pid("worker") not in {None, first})
        second = supervisor.pid("worker")
        assert second is not None
        assert supervisor.pid("web") == web
        supervisor.check()
    assert gone(first, second, web, within=0)


def test_children_stop_in_reverse_order_and_the_deaf_are_killed(tmp_path: Path, gone: Gone) -> None:
    log = tmp_path / "order"
    say = (
        "import signal, sys, time\n"
        "def leave(*_): open(sys.argv[2], 'a').write(sys.argv[1] + '\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave); print('up', flush=True); time.sleep(60)"
    )
    with Supervisor(grace=0.5) as supervisor:
        for name in ("first", "second"):
            argv = [sys.executable, "-S", "-c", say, name, str(log)]
            supervisor.start(name, argv, env={}, log=tmp_path / f"{name}.log")
        argv = [sys.executable, "-S", "-c", f"{DEAF}; time.sleep(60)"]
        deaf = supervisor.start("deaf", argv, env={}, log=tmp_path / "deaf.log")
        logs = [tmp_path / f"{name}.log" for name in ("first", "second", "deaf")]
        assert until(lambda: all(one.read_text() for one in logs))
    assert log.read_text().split() == ["second", "first"]
    assert gone(deaf, within=0)


def test_a_crash_loop_is_an_error_with_the_last_lines_of_the_log(
    tmp_path: Path, gone: Gone
) -> None:
    broken = [sys.executable, "-S", "-c", "print('no model found'); raise SystemExit(3)"]
    with Supervisor(backoff=0.02, most_restarts=2) as supervisor:
        other = supervisor.start("web", SLEEP, env={}, log=tmp_path / "web.log")
        supervisor.start("worker", broken, env={}, log=tmp_path / "worker.log")
        with pytest.raises(StackError) as failure:
            supervisor.wait(10)
        assert supervisor.names == ("web",)
        assert supervisor.pid("web") == other
    first, *rest = str(failure.value).splitlines()
    assert first.startswith("worker ended with code 3 3 times in a row")
    assert str(tmp_path / "worker.log") in first
    assert rest == ["  | no model found"] * 3


def test_a_child_that_is_not_to_be_restarted_fails_at_its_first_exit(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        supervisor.start("once", SLEEP, env={}, log=tmp_path / "once.log", restart=False)
        supervisor.wait(0.05)
        supervisor.kill("once", signal.SIGKILL)
        with pytest.raises(StackError, match="once was ended by SIGKILL"):
            supervisor.wait(10)


def test_grandchildren_do_not_outlive_their_killed_parent(tmp_path: Path, gone: Gone) -> None:
    log = tmp_path / "parent.log"
    with Supervisor(backoff=30) as supervisor:
        supervisor.start("parent", [sys.executable, "-S", "-c", PARENT], env={}, log=log)
        assert until(lambda: log.exists() and log.read_text().strip() != "")
        grandchild = int(log.read_text())
        supervisor.kill("parent", signal.SIGKILL)
        assert gone(grandchild)


def test_a_name_is_taken_once_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        supervisor.start("web", SLEEP, env={}, log=tmp_path / "web.log")
        with pytest.raises(StackError, match="running already"):
            supervisor.start("web", SLEEP, env={}, log=tmp_path / "web.log")
        supervisor.stop("web")
        with pytest.raises(StackError, match="not running"):
            supervisor.pid("web")
        supervisor.start("web", SLEEP, env={}, log=tmp_path / "web.log")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's help is Linux's")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_end_with_their_parent(
    run_script: Script, gone: Gone, tmp_path: Path, number: signal.Signals
) -> None:
    process = run_script(
        """
        import sys, threading, time
        from pathlib import Path
        from devstack.processes import Supervisor

        sleep = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
        with Supervisor() as supervisor:
            # From a thread that ends at once: the child must not end with it.
            starting = threading.Thread(target=supervisor.start, args=["web", sleep],
                kwargs={"env": {}, "log": Path(sys.argv[1])})
            starting.start()
            starting.join()
            time.sleep(0.2)
            print(supervisor.pid("web"), flush=True)
            time.sleep(60)
        """,
        str(tmp_path / "log"),
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    os.kill(process.pid, number)
    process.wait(10)
    assert gone(child)


def test_a_free_port_is_given_once() -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
