"""Which pictures are learnt from, which choose, and which do neither."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ethical_lens.results import Concept
from ethical_lens.training.heads.errors import TooFewLabels


class Part(StrEnum):
    """TRAIN gives the weights; VALIDATION chooses the step, the calibration and the threshold;
    TEST is only measured."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SHARES: Final = {Part.TRAIN: 0.7, Part.VALIDATION: 0.15, Part.TEST: 0.15}
LEAST: Final = {Part.TRAIN: 10, Part.VALIDATION: 5, Part.TEST: 5}
"""Pictures with each answer that a part must have; with so few, intervals are wide."""


def part_of(content: str, seed: int) -> Part:
    """The part of the picture with that content (a digest), the same in every run of a seed.

    It depends on nothing else: copies of a picture are in the same part, all concepts share the
    parts, and pictures that come later move none from one part to another.
    """
    drawn = hashlib.sha256(f"{seed}:{content}".encode()).digest()
    place = int.from_bytes(drawn[:8]) / 2**64
    for part, share in SHARES.items():
        if place < share:
            return part
        place -= share
    return Part.TEST


def must_suffice(labels: Mapping[Concept, Mapping[str, bool]], seed: int) -> None:
    """Raises `TooFewLabels` that names every part and answer below `LEAST`.

    `labels`: by concept and content.
    """
    short = []
    for concept, shown in labels.items():
        for part, least in LEAST.items():
            here = [label for content, label in shown.items() if part_of(content, seed) is part]
            for answer, count in (("yes", sum(here)), ("no", len(here) - sum(here))):
                if count < least:
                    short.append(f"  {concept}: {count} {answer} in {part}, {least} are needed")
    if short:
        raise TooFewLabels(
            "too few labels on which raters agree:\n"
            + "\n".join(short)
            + "\nLabel more pictures, or train only the others with --concept."
        )
