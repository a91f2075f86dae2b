"""The prompts that filters are measured on, and our rules' verdicts on them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ethical_lens.policy import Policy
from ethical_lens.results import Label
from ethical_lens.text.aligner import UnreadablePrompt
from ethical_lens.text.rules import RuleAligner

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
"""Beside the repository."""
CATEGORIES: Final = (
    "hate", "harassment", "violence", "self-harm", "sexual", "shocking", "illegal activity",
)  # fmt: skip
REVIEW: Final = frozenset[Label]()
"""Stands for the verdict of a prompt that the rules send to a person."""


@dataclass(frozen=True)
class Prompts:
    """`captions` (COCO) and `art` are harmless; each prompt of `unsafe` (I2P) has categories."""

    captions: tuple[str, ...]
    art: tuple[str, ...]
    unsafe: tuple[tuple[str, frozenset[str]], ...]

    @classmethod
    def load(cls, folder: Path) -> "Prompts":
        """Read the three CSV files of `folder`. Raises `FileNotFoundError` that
        says what to do where one is missing."""
        unsafe = _rows(folder / "i2p_even.csv")
        return cls(
            captions=tuple(row["prompt"] for row in _rows(folder / "coco_captions_2k.csv")),
            art=tuple(row["prompt"] for row in _rows(folder / "art_style_benign_even.csv")),
            unsafe=tuple(
                (row["prompt"], frozenset(map(str.strip, row["categories"].split(","))))
                for row in unsafe
            ),
        )

    def of(self, category: str) -> tuple[int, ...]:
        """The places in `unsafe` of the prompts of a category."""
        return tuple(i for i, (_, found) in enumerate(self.unsafe) if category in found)


def labels(prompts: Sequence[str]) -> list[frozenset[Label]]:
    """What our rules say, one set of labels per prompt; `REVIEW` where they cannot read it."""
    rules, policy = RuleAligner(), Policy()
    found = []
    for prompt in prompts:
        try:
            found.append(rules.scrutinise(prompt, "", policy).labels)
        except UnreadablePrompt:
            found.append(REVIEW)
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: name the folder that holds it with --data")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
