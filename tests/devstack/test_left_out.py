"""Where there is no Chromium, a run names at its end what it has not tried."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.services


def test_tests_in_a_browser_are_named_where_there_is_none(tmp_path: Path) -> None:
    files = ["tests/browser/test_appeals.py", "tests/integration/test_desk_keyboard.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:]
    _, named, end = run.stdout.partition("left out")
    assert named, run.stdout[-2000:]
    assert "passed" not in end
    for told in (*files, "Chromium"):
        assert told in end, end
