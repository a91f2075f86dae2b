"""The pieces of a run of the suite `paper`: who does which is settled by locks in its folder.

A piece is done when its file of records is there, which is written whole. Draws begin anew with
each piece, from a seed of its own: what is in it does not depend on who does it, when, or what was
done before.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ethical_lens.evaluation.journal import line_of
from ethical_lens.evaluation.prompts.loaders import ListedPrompt
from ethical_lens.evaluation.prompts.sampling import subset
from ethical_lens.evaluation.recipe import SHARDS, Prompts, Recipe
from ethical_lens.evaluation.records import ABLATIONS, Arm, PromptRecord
from ethical_lens.evaluation.sharing import claimed, write_whole


@dataclass(frozen=True)
class Shard:
    """Prompts of one set on one arm, each with its number in the set."""

    arm: Arm
    suite_set: str
    index: int
    prompts: tuple[tuple[int, ListedPrompt], ...]

    @property
    def name(self) -> str:
        """Unique in its run, and fit for a file."""
        return f"{self.arm.value}-{self.suite_set}-{self.index:05d}"

    def draws_seed(self, seed: int) -> int:
        """The seed of its draws: the same on every arm."""
        text = f"{seed} {self.suite_set} {self.index}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def shards_of(recipe: Recipe, prompts: Prompts) -> list[Shard]:
    """All pieces, arm by arm. Ablations have every so many pieces of a set, so that they share
    draws with the whole method."""
    found = []
    for arm in recipe.arms:
        for suite_set, some in prompts.sets.items():
            numbered = subset(list(enumerate(some)), recipe.share)
            pieces = [
                Shard(arm, suite_set, i, tuple(numbered[start : start + recipe.shard]))
                for i, start in enumerate(range(0, len(numbered), recipe.shard))
            ]
            if arm in ABLATIONS:
                pieces = subset(pieces, recipe.ablation_share) or pieces[:1]
            found += pieces
    return found


def is_done(folder: Path, shard: Shard) -> bool:
    """Whether its records are there."""
    return _records(folder, shard).exists()


@contextmanager
def claim(folder: Path, shard: Shard) -> Iterator[bool]:
    """Whether the piece is ours to do: nobody else does it now, and it is not done."""
    with claimed(folder / SHARDS / f"{shard.name}.lock") as ours:
        yield ours and not is_done(folder, shard)


def finish(folder: Path, shard: Shard, records: Sequence[PromptRecord]) -> None:
    """Write all its records at once."""
    write_whole(_records(folder, shard), "".join(line_of(record) for record in records))


def _records(folder: Path, shard: Shard) -> Path:
    return folder / SHARDS / f"{shard.name}.jsonl"
