"""Looks for weights where they may lie: in a folder, or in the cache of the hub. Torch-free."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?<!\.safetensors)(?<!\.pt)(?<!\.bin)")
"""`owner/name`, and not the path of a file of weights."""


class Finder:
    """Finds what relative paths in `folder` name.

    `missing` collects a line for each part that is not there: its field, where it was looked for,
    and how to get it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()
        self.missing: list[str] = []

    def place(self, value: Path) -> Path:
        """Where `value` lies or ought to lie, absolute."""
        return self._folder / value.expanduser()

    def local(self, field: str, value: Path, *, is_folder: bool) -> Path:
        """The absolute path of a file or folder."""
        found = self.place(value)
        if not (found.is_dir() if is_folder else found.is_file()):
            kind = "folder" if is_folder else "file"
            self.missing.append(f"{field}: no {kind} at {found}. Put it there or correct the path.")
        return found

    def part(self, field: str, value: str, marks: Sequence[str]) -> str:
        """The absolute path of `value`, or else `value` itself as the hub id of a repository.

        Where the hub may not be asked (HF_HUB_OFFLINE=1), its cache must hold one of the files
        `marks` of the repository; else the loader fetches what it needs.
        """
        found = self.place(Path(value))
        if found.exists():
            return str(found)
        if not HUB_ID.fullmatch(value):
            self.missing.append(
                f"{field}: {value!r} is neither at {found} nor a hub id `owner/name`. "
                "Put it there or correct it."
            )
        elif not _can_be_had(value, marks):
            self.missing.append(
                f"{field}: {value} is neither at {found} nor in the hub's cache, and "
                "HF_HUB_OFFLINE=1 forbids to fetch it. Where there is a network, run\n"
                f"    HF_HUB_OFFLINE=0 hf download {value} --local-dir {shlex.quote(str(found))}"
            )
        return value


def _can_be_had(hub_id: str, marks: Sequence[str]) -> bool:
    # Imported here: only what loads models has the hub's client.
    from huggingface_hub import is_offline_mode, try_to_load_from_cache

    return not is_offline_mode() or any(
        isinstance(try_to_load_from_cache(hub_id, mark), str) for mark in marks
    )
