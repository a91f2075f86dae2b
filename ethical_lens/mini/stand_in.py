"""A folder of randomly initialised models, to run every part of the real thing without weights.

They load and run through the same code as published ones. Their pictures are noise and their
verdicts mean nothing: use them with `STAND_IN_POLICY`, and never to judge a picture.

Torch-free until something has to be built, so that asking for a folder that is there costs
nothing.
"""

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

BUILDER_VERSION = 2
"""Raise it whenever the same call would build other models; older folders are then rebuilt."""

PIPELINE = "stand-in"
SOURCES_FILE = "models.json"
MARKER_FILE = "stand-in.json"

NOTE = (
    "Randomly initialised stand-in models. Their pictures are noise and their verdicts mean "
    "nothing."
)


class StandInError(Exception):
    """The folder cannot be built."""


def build(folder: Path) -> Path:
    """Build the stand-in models in `folder` and give back the path of their `models.json`.

    A folder that this version built is left as it is; one of another version is replaced. The
    folder appears whole or not at all. Global generators are left as they were. About 30 MB.

    Raises `StandInError` where `folder` holds something else.
    """
    folder = folder.absolute()
    if _is_current(folder):
        return folder / SOURCES_FILE
    if folder.exists() and not (folder / MARKER_FILE).is_file() and any(folder.iterdir()):
        raise StandInError(f"{folder} holds something else; name a new or empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        from ethical_lens.mini import write_models  # loads torch and its kin: seconds

        write_models.write_all(work, PIPELINE, work / SOURCES_FILE)
        marker = {"builder": BUILDER_VERSION, "note": NOTE}
        (work / MARKER_FILE).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
        work.chmod(0o755)
        _swap(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder / SOURCES_FILE


def _is_current(folder: Path) -> bool:
    try:
        marker = json.loads((folder / MARKER_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(marker.get("builder") == BUILDER_VERSION)


def _swap(work: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        try:
            with suppress(FileNotFoundError):  # another process was faster
                folder.rename(old)
        finally:
            shutil.rmtree(old, ignore_errors=True)
    try:
        work.rename(folder)
    except OSError:
        if not _is_current(folder):  # else another process was faster, with the same result
            raise
