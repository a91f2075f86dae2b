"""The word lists that ship with the package, and one digest for all of them."""

import hashlib
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

FACTOR_FILES = (
    "p1_hate",
    "p2_harassment",
    "p3_violence",
    "p4_self_harm",
    "p5_sexual",
    "p6_shocking",
    "p7_illegal",
    "p8_political",
    "p9_culture",
)
FACTOR_TABLES = ("explicit", "mild", "beside_figure")
"""From a term to what a rewrite puts in its place."""
NAMES = (*FACTOR_FILES, "minors", "figures", "people", "english", "concepts")


@lru_cache(maxsize=len(NAMES))
def _bytes(name: str) -> bytes:
    return (resources.files("ethical_lens.text") / "lexicons" / f"{name}.toml").read_bytes()


def load(name: str) -> dict[str, Any]:
    """`lexicons/<name>.toml`, parsed anew on every call: no caller can change another's copy.

    In the lists of factors a row may hold several terms, with ` | ` between; each gets an entry.
    """
    lists = tomllib.loads(_bytes(name).decode("utf-8"))
    if name in FACTOR_FILES:
        for table in FACTOR_TABLES:
            rows = lists.get(table, {})
            lists[table] = {term: new for row, new in rows.items() for term in row.split(" | ")}
    return lists


@lru_cache(maxsize=1)
def digest() -> str:
    """First 12 hex digits of a SHA-256 over all lists; it changes with any word of them."""
    total = hashlib.sha256()
    for name in NAMES:
        total.update(name.encode() + b"\0" + hashlib.sha256(_bytes(name)).digest())
    return total.hexdigest()[:12]
