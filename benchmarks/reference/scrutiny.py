"""Scrutiny of pictures: five encoders and five encodes, or one."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.reference.report import Row
from ethical_lens.decide import decide_picture
from ethical_lens.policy import Policy
from ethical_lens.results import Concept

ROOT: Final = Path(__file__).resolve().parents[2]


class Side:
    """A process that loads one side and works when it is told to."""

    def __init__(self, models: Path, pictures: Path, threads: int, *what: str) -> None:
        self.what = what
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        argv = [sys.executable, "-m", "benchmarks.reference.side", what[0], str(models),
                str(pictures), *what[1:]]  # fmt: skip
        self._process = subprocess.Popen(
            argv, env=environment, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.seconds: dict[str, list[float]] = {name: [] for name in self._answer()["ready"]}

    def work(self, name: str) -> float:
        """Seconds per picture of one pass."""
        assert self._process.stdin is not None
        print(name, file=self._process.stdin, flush=True)
        return float(self._answer()["seconds"])

    def end(self) -> dict[str, Any]:
        """Its scores and its peak of memory; the process ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        told = self._answer()
        self._process.wait()
        return told

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.what)} ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True)
class _Told:
    """What one side needed: seconds per picture by pass, bytes, scores by picture."""

    seconds: dict[str, float]
    peak: int
    scores: list[dict[str, float]]


def measure(
    models: Path, pictures: Path, threads: int, repeats: int, *, bfloat16: bool
) -> Iterator[Row]:
    """Rows of speed, memory and verdicts. Sides take turns, so that all see the same machine."""
    kinds = [("reference",), ("ours",), *([("ours", "bfloat16")] if bfloat16 else [])]
    told = dict(zip(kinds, _in_turns(models, pictures, threads, repeats, kinds), strict=True))
    theirs, ours = told["reference",], told["ours",]
    yield Row.ratio(
        "scrutiny of a picture, float32: faster", theirs.seconds["scrutinise"],
        ours.seconds["scrutinise"], "s", at_least=5.0,
    )  # fmt: skip
    yield Row.ratio(
        "one bare encode to it", ours.seconds["scrutinise"], ours.seconds["bare"], "s",
        at_most=1.05,
    )  # fmt: skip
    yield Row.ratio(
        "the same in a batch: faster", theirs.seconds["scrutinise"], ours.seconds["batch"], "s"
    )
    yield Row.ratio("memory, float32: less", theirs.peak / 2**30, ours.peak / 2**30, "GiB")
    yield _same("float32, reference and here", theirs, ours)
    if bfloat16:
        half = told["ours", "bfloat16"]
        yield Row.ratio(
            "scrutiny of a picture, bfloat16: faster", theirs.seconds["scrutinise"],
            half.seconds["scrutinise"], "s", at_least=10.0,
        )  # fmt: skip
        yield Row.ratio(
            "memory, bfloat16: less", theirs.peak / 2**30, half.peak / 2**30, "GiB", at_least=4.0
        )
        yield _same("bfloat16 and float32 here", ours, half)


def _in_turns(
    models: Path, pictures: Path, threads: int, repeats: int, kinds: list[tuple[str, ...]]
) -> Iterator[_Told]:
    sides = [Side(models, pictures, threads, *kind) for kind in kinds]
    for repeat in range(repeats + 1):
        for side in sides:
            for name, seconds in side.seconds.items():
                took = side.work(name)
                if repeat:  # the first is to warm up
                    seconds.append(took)
    for side in sides:
        end = side.end()
        yield _Told(
            {name: statistics.median(seconds) for name, seconds in side.seconds.items()},
            end["peak"],
            end["scores"]["scrutinise"],
        )


def _same(what: str, one: _Told, other: _Told) -> Row:
    changed = sum(_verdict(a) != _verdict(b) for a, b in zip(one.scores, other.scores, strict=True))
    apart = max(
        abs(a[name] - b[name]) for a, b in zip(one.scores, other.scores, strict=True) for name in a
    )
    return Row(
        f"verdicts that differ, {what}", f"of {len(one.scores)}",
        f"scores at most {apart:.4f} apart", float(changed), "0", met=changed == 0,
    )  # fmt: skip


def _verdict(scores: dict[str, float]) -> object:
    verdict = decide_picture(
        {Concept(name): score for name, score in scores.items()},
        Policy(), round=1, repaired=False, under_twenty=False,
    )  # fmt: skip
    return verdict.action, frozenset(finding.concept for finding in verdict.findings)
