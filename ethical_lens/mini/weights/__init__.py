"""The trained models of the miniature world, as files, with their digests.

`models.json` is the preset `mini`; `manifest.json` has the SHA-256 of every file of weights, and
`MODEL_CARD.md` says what they are.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
MANIFEST: Final = "manifest.json"


class DamagedWeights(Exception):
    """A file of weights is missing, or is not the one the manifest names."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the manifest itself, by relative path."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.suffix in {".safetensors", ".json", ".txt"} and file.name != MANIFEST
    }


def verify(folder: Path = FOLDER) -> None:
    """Raise `DamagedWeights`, naming the files, unless all are what the manifest says."""
    named = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    found = digests(folder)
    wrong = sorted(name for name in named | found if named.get(name) != found.get(name))
    if wrong:
        raise DamagedWeights(
            f"not as {folder / MANIFEST} says: {', '.join(wrong)}. Install the package again, or "
            "build the models anew with `make mini-models`."
        )


def write_manifest(folder: Path) -> None:
    """Write the digests of what lies in `folder` now."""
    text = json.dumps(digests(folder), indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def install(models: Path, parts: list[str], folder: Path = FOLDER) -> None:
    """Copy the finished `parts` (folders below `models`) here and write the manifest anew."""
    for part in parts:
        target = folder / part
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(models / part, target)
    write_manifest(folder)
