"""Digests of files of weights: written when they are put in place, compared when they are loaded.

Torch-free.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

MANIFEST: Final = "manifest.json"


class DamagedWeights(ValueError):
    """A file of weights is missing, or is not the one the manifest names."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of weights below `folder`, by relative path."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.suffix in {".safetensors", ".json", ".txt"} and file.name != MANIFEST
    }


def verify(folder: Path) -> None:
    """Raise `DamagedWeights`, naming the files, unless all are what the manifest says."""
    manifest = folder / MANIFEST
    named = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    found = digests(folder)
    wrong = sorted(name for name in named | found if named.get(name) != found.get(name))
    if wrong:
        raise DamagedWeights(
            f"not as {manifest} says: {', '.join(wrong)}. Install the package again, or "
            "build the models anew with `make mini-models`."
        )


def write_manifest(folder: Path) -> None:
    """Write the digests of what lies in `folder` now."""
    content = json.dumps(digests(folder), indent=2) + "\n"
    (folder / MANIFEST).write_text(content, encoding="utf-8")
