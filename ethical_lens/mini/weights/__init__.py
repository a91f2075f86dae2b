"""The trained models of the miniature world, as files, with their digests.

`models.json` is the preset `mini`; `manifest.json` has the SHA-256 of every file of weights,
`measured.json` the shares that each model reached when it was checked (`bars`), and `MODEL_CARD.md`
says what they are.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
MANIFEST: Final = "manifest.json"
MEASURED: Final = "measured.json"


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
    _write(folder / MANIFEST, digests(folder))


def measured(folder: Path = FOLDER) -> dict[str, dict[str, float]]:
    """Shares by part and name, as `record` wrote them."""
    file = folder / MEASURED
    if not file.exists():
        return {}
    found: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def record(models: Path, part: str, shares: dict[str, float]) -> None:
    """Note in the folder `models` what `part` reached."""
    if shares:
        rounded = {name: round(share, 4) for name, share in shares.items()}
        _write(models / MEASURED, measured(models) | {part: rounded})


def install(models: Path, parts: list[str], folder: Path = FOLDER) -> None:
    """Copy the finished `parts` (folders below `models`) here, for everybody to read, with all that
    was measured, and write the manifest anew.

    Raises `FileNotFoundError` where one was not trained; then nothing was changed.
    """
    if missing := [part for part in parts if not (models / part).is_dir()]:
        raise FileNotFoundError(f"{models} has no {', '.join(missing)}: train it first")
    for part in parts:
        target = folder / part
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(models / part, target)
        for file in target.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
    _write(folder / MEASURED, measured(folder) | measured(models))
    write_manifest(folder)


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
