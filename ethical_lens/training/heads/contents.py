"""Picture files and what they show: a digest of the pixels, the same for every copy."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from tqdm import tqdm

from ethical_lens.image.errors import UnreadablePicture
from ethical_lens.image.reading import read_picture
from ethical_lens.training.heads.errors import BadPictures

INDEX: Final = "contents.jsonl"
_SHOWN: Final = 10


@dataclass(frozen=True)
class Found:
    """`contents` of the pictures that can be read, and why the others are `bad`; both by name."""

    contents: dict[str, str]
    bad: dict[str, str]


def content_of(image: Image.Image) -> str:
    """SHA-256, hexadecimal, of the size and the pixels of an RGB image."""
    whole = hashlib.sha256(f"{image.width}x{image.height}\n".encode())
    whole.update(image.tobytes())
    return whole.hexdigest()


def find_pictures(
    names: Collection[str], folder: Path, cache: Path, most_bad: float = 0.1
) -> Found:
    """Look at each picture of `names`, which are paths in `folder`.

    The content of a file is kept in `cache` under a digest of its bytes, so that it is decoded
    once. Raises `BadPictures` where a share above `most_bad` (0 to 1) is missing or unreadable.
    """
    cache.mkdir(parents=True, exist_ok=True)
    known = _read(cache / INDEX)
    contents, bad = dict[str, str](), dict[str, str]()
    with (cache / INDEX).open("a", encoding="utf-8") as index:
        for name in tqdm(sorted(names), desc="pictures", unit=" pictures", mininterval=2):
            try:
                raw = _bytes(folder, name)
                digest = hashlib.sha256(raw).hexdigest()
                if digest not in known:
                    known[digest] = content_of(read_picture(raw))
                    index.write(json.dumps([digest, known[digest]]) + "\n")
                contents[name] = known[digest]
            except UnreadablePicture as error:
                bad[name] = str(error)
    if len(bad) > most_bad * len(names):
        lines = [f"  {name}: {why}" for name, why in list(bad.items())[:_SHOWN]]
        more = [f"  and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
        raise BadPictures(
            f"{folder}: {len(bad)} of {len(names)} pictures cannot be read, which is more than "
            f"{most_bad:.0%}:\n"
            + "\n".join([*lines, *more])
            + "\nCorrect the folder or the table, or allow more with --most-bad."
        )
    return Found(contents, bad)


def _bytes(folder: Path, name: str) -> bytes:
    file = folder / name
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise UnreadablePicture("lies outside the folder of pictures")
        return file.read_bytes()
    except FileNotFoundError as error:
        raise UnreadablePicture("is missing") from error
    except (OSError, ValueError) as error:  # ValueError: a name no file can have
        raise UnreadablePicture(f"cannot be read: {error}") from error


def _read(file: Path) -> dict[str, str]:
    """What the index knows; from the first line that was not written whole on it is dropped."""
    found = dict[str, str]()
    if not file.exists():
        return found
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        try:
            digest, content = json.loads(line)
        except ValueError:
            file.write_text("".join(lines[:number]), encoding="utf-8")
            break
        found[digest] = content
    return found
