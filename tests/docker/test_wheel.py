"""The wheel that the images install: both source roots, and the files beside the code."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {
    "ethical_lens": ROOT,
    "workers": ROOT,
    "config": ROOT / "platform",
    "accounts": ROOT / "platform",
    "jobs": ROOT / "platform",
    "moderation": ROOT / "platform",
    "desk": ROOT / "platform",
    "playground": ROOT / "platform",
    "policies": ROOT / "platform",
    "webhooks": ROOT / "platform",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_it_carries_every_file_of_every_package(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    here = {
        path.relative_to(root).as_posix()
        for name, root in ROOTS.items()
        for path in (root / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - carried == set()
    assert {"config/settings.py", "jobs/migrations/0001_initial.py"} <= carried
    assert [name for name in carried if name.startswith("platform/")] == []


def test_it_can_be_imported_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import django; django.setup()\n"
        f"for name in {sorted(ROOTS)}:\n"
        "    module = __import__(name)\n"
        "    assert module.__file__.startswith(sys.argv[1]), module.__file__\n"
        "from django.core.management import call_command; call_command('check')\n"
        "assert 'torch' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env={**os.environ, "MODELS": "sd15"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
