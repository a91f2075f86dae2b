"""The shape of the tree, and what the web process must never load."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "torchvision", "diffusers", "transformers", "open_clip"}


def python(code: str) -> str:
    """What `code` prints in a fresh interpreter with the platform on its path."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_platform_is_a_source_root_and_hides_nothing() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert list((ROOT / "platform").glob("*.py")) == []
    assert platform.python_version().startswith("3.11")
    assert python("import platform; print(platform.system())") == platform.system()
    assert not (ROOT / "tests" / "platform").exists()


@pytest.mark.parametrize(
    "code",
    [
        "import config.asgi, config.api",
        "import manage, sys; sys.argv = ['manage.py', 'check']; manage.main()",
        "import django; django.setup(); import jobs.management.commands.dispatcher",
    ],
)
def test_the_web_process_never_loads_torch(code: str) -> None:
    loaded = python(f"{code}\nimport sys; print(' '.join(m.split('.')[0] for m in sys.modules))")
    assert not HEAVY & set(loaded.split())
    assert "workers" not in loaded.split()


def test_a_worker_without_pictures_loads_no_torch() -> None:
    code = "import django; django.setup(); import workers.tasks, sys; print(*sys.modules)"
    assert not HEAVY & {name.split(".")[0] for name in python(code).split()}


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, text=True,
        capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_no_file_is_past_500_lines() -> None:
    files = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout.split()
    long = {f: n for f in files if (n := len((ROOT / f).read_text().splitlines())) > 500}
    assert long == {}
