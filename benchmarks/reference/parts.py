"""The parts of the comparison that are each done in a process of their own.

Heavy imports stay inside: the process that asks for the parts must remain small.
"""

import argparse
import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.reference.report import Row

SEED: Final = 60_001
"""Of the drawings that are the test pictures."""


def in_a_process(name: str, given: argparse.Namespace, work: Path) -> list[Row]:
    """The rows of one part; what it loads ends with it."""
    # Spawned: neither torch's threads nor Django survive a fork.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rows: list[Row] = pool.apply(_part, (name, given, work))
    return rows


def _part(name: str, given: argparse.Namespace, work: Path) -> list[Row]:
    part: Any = globals()[name]
    return list(part(given, work))


def write(given: argparse.Namespace, work: Path) -> Iterator[Row]:
    from benchmarks.reference.weights import LARGE, written
    from ethical_lens.mini.training.drawings import scene_at
    from ethical_lens.mini.world.drawing import draw

    architecture, heads = ("ViT-B-32", None) if given.small else (LARGE, given.heads)
    written(work, architecture, heads, small=given.small)
    folder = work / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for index in range(given.pictures):
        picture = draw(scene_at("balanced", SEED, index)).picture
        picture.resize((512, 512)).save(folder / f"{index:03}.png")
    yield from ()


def verdicts(given: argparse.Namespace, _work: Path) -> Iterator[Row]:
    from benchmarks.reference import verdicts

    return verdicts.measure(20 if given.small else 500)


def blur(given: argparse.Namespace, work: Path) -> Iterator[Row]:
    from PIL import Image

    from benchmarks.reference import blurring

    pictures = [Image.open(file) for file in sorted((work / "pictures").glob("*.png"))]
    return blurring.measure(str(work / "regions"), pictures, given.threads, given.repeats)


def calls(_given: argparse.Namespace, _work: Path) -> Iterator[Row]:
    from benchmarks.reference import llm_calls

    return llm_calls.measure()


def batching(given: argparse.Namespace, _work: Path) -> Iterator[Row]:
    from benchmarks.reference import batching

    return batching.measure(given.jobs, given.threads, min(given.repeats, 3))
