"""Published prompt sets, from files that whoever evaluates has fetched; none is in the package.

| Set | File | Licence | Source |
|---|---|---|---|
| I2P | CSV with `prompt`, `categories` | MIT | Schramowski et al. 2023, `AIML-TUDA/i2p` |
| COCO captions | JSON, or CSV: `prompt` or `caption` | CC BY 4.0 (its terms) | Chen et al. 2015 |
| PartiPrompts | TSV with `Prompt` | Apache-2.0 (card of a copy) | Yu et al. 2022 |
| plain list | a prompt a line | its author's | |

I2P names what people are hurt by, PartiPrompts and COCO mean no harm.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import Field

from ethical_lens.results import Value


class PromptFileError(ValueError):
    """A prompt file cannot be read, or is not of the named kind."""


class ListedPrompt(Value):
    """A prompt of a published set; `categories` as its authors name them."""

    id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    categories: tuple[str, ...] = ()


def load_i2p(file: Path) -> tuple[ListedPrompt, ...]:
    """I2P. Raises `PromptFileError`."""
    return _table(file, "i2p", ",", ("prompt",), "categories")


def load_coco(file: Path) -> tuple[ListedPrompt, ...]:
    """Captions of COCO: a table, or its own JSON, of which the first of each picture counts.

    Raises `PromptFileError`.
    """
    if file.suffix == ".json":
        return _listed("coco", [(caption, ()) for caption in _first_captions(file)])
    return _table(file, "coco", ",", ("prompt", "caption"), None)


def load_parti(file: Path) -> tuple[ListedPrompt, ...]:
    """PartiPrompts (P2). Raises `PromptFileError`."""
    return _table(file, "parti", "\t", ("Prompt",), "Category")


def load_list(file: Path) -> tuple[ListedPrompt, ...]:
    """A prompt a line; empty lines and lines that begin with `#` do not count.

    Raises `PromptFileError`.
    """
    lines = (line.strip() for line in _text(file).splitlines())
    return _listed("list", [(line, ()) for line in lines if line and not line.startswith("#")])


LOADERS: Final[Mapping[str, Callable[[Path], tuple[ListedPrompt, ...]]]] = {
    "i2p": load_i2p,
    "coco": load_coco,
    "parti": load_parti,
    "list": load_list,
}
"""Loaders by the name of the kind of file."""


def _table(
    file: Path, name: str, delimiter: str, columns: tuple[str, ...], categories: str | None
) -> tuple[ListedPrompt, ...]:
    lines = io.StringIO(_text(file), newline="")
    try:
        if delimiter == "\t":  # where a quotation mark stands for itself
            rows = list(csv.DictReader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))
        else:
            rows = list(csv.DictReader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise PromptFileError(f"{file}: {error}") from error
    column = next((one for one in columns if rows and one in rows[0]), None)
    if column is None:
        raise PromptFileError(f"{file}: no rows with a column {' or '.join(columns)}")
    found = []
    for row in rows:
        some = (row.get(categories) or "").split(",") if categories else ()
        prompt = " ".join((row[column] or "").split())
        if prompt:
            found.append((prompt, tuple(one.strip() for one in some if one.strip())))
    return _listed(name, found)


def _first_captions(file: Path) -> Iterable[str]:
    found: dict[object, str] = {}
    try:
        for one in json.loads(_text(file))["annotations"]:
            found.setdefault(one["image_id"], " ".join(one["caption"].split()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise PromptFileError(
            f"{file}: no JSON with annotations that have image_id and caption"
        ) from error
    return filter(None, found.values())


def _listed(name: str, found: list[tuple[str, tuple[str, ...]]]) -> tuple[ListedPrompt, ...]:
    return tuple(
        ListedPrompt(id=f"{name}-{number:05d}", prompt=prompt, categories=categories)
        for number, (prompt, categories) in enumerate(found, start=1)
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptFileError(f"{file}: cannot be read ({error})") from error
