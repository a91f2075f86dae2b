"""The trained models of the miniature world, as files, with their digests.

`models.json` is the preset `mini`; `manifest.json` has the SHA-256 of every file of weights,
`measured.json` the shares that each model reached when it was checked (`bars`), and `MODEL_CARD.md`
says what they are.
"""

import json
import shutil
from pathlib import Path
from typing import Final

from ethical_lens.manifest import write_manifest

FOLDER: Final = Path(__file__).parent
MEASURED: Final = "measured.json"


def measured(folder: Path = FOLDER) -> dict[str, dict[str, float]]:
    """Shares by folder of a model and name, as `record` wrote them."""
    file = folder / MEASURED
    if not file.exists():
        return {}
    found: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def record(models: Path, part: str, shares: dict[str, float]) -> None:
    """Note in the folder `models` what the model in its folder `part` reached."""
    models.mkdir(parents=True, exist_ok=True)
    rounded = {name: round(share, 4) for name, share in shares.items()}
    _write(models / MEASURED, measured(models) | {part: rounded})


def install(models: Path, part: str, folder: Path) -> None:
    """Copy the finished `part` (a folder below `models`) to `folder`, for everybody to read, with
    what was measured of it, and write the manifest there anew.

    Raises `FileNotFoundError` where it was not trained; then nothing was changed.
    """
    if not (models / part).is_dir():
        raise FileNotFoundError(f"{models} has no {part}: train it first")
    target = folder / part
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(models / part, target)
    for file in target.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    _write(folder / MEASURED, measured(folder) | {part: measured(models).get(part, {})})
    write_manifest(folder)


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
