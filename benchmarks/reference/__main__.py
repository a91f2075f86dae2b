"""`python -m benchmarks.reference`: a Markdown table of ratios, all from one run.

Sides take turns on the same cores; each side of scrutiny is a process of its own, whose peak of
memory is read. With `--small` everything is tiny: that shows that it runs, and its figures mean
nothing.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.reference.parts import in_a_process
from benchmarks.reference.report import Row, table

PARTS: Final = ("scrutiny", "verdicts", "blur", "calls", "batching")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reference", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--heads", type=Path, help="folder of the published heads, <concept>.pt")
    parser.add_argument("--pictures", type=int, default=4, help="of 512x512 (default: 4)")
    parser.add_argument("--repeats", type=int, default=5, help="after one to warm up (default: 5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="default: cores")
    parser.add_argument("--jobs", type=int, default=16, help="waiting jobs (default: 16)")
    parser.add_argument("--bfloat16", choices=("auto", "yes", "no"), default="auto",
                        help="auto: where the CPU has instructions for it")  # fmt: skip
    parser.add_argument("--work", type=Path, help="keep the models (2.5 GB) here for next time")
    parser.add_argument("--small", action="store_true", help="tiny shapes, to try it out")
    parser.add_argument("--out", type=Path, help="write the table here too")
    given = parser.parse_args()
    if odd := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(odd))}")
    os.environ["HF_HUB_OFFLINE"] = "1"
    work = (
        given.work.resolve()
        if given.work
        else Path(tempfile.mkdtemp(prefix="ethical-lens-reference-"))
    )
    rows = []
    try:
        for row in _rows(given, work):
            rows.append(row)
            print(f"{row.what}: {row.value:.2f}", file=sys.stderr, flush=True)
    finally:
        if given.work is None:
            shutil.rmtree(work)
    text = table(rows)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", "utf-8")


def _rows(given: argparse.Namespace, work: Path) -> Iterator[Row]:
    parts = set(given.parts or PARTS)
    bfloat16 = given.bfloat16 == "yes" or (given.bfloat16 == "auto" and _has_bfloat16())
    if parts & {"scrutiny", "blur"}:
        # In a process of its own: this one stays small, so that sides have the memory.
        in_a_process("write", given, work)
    if "scrutiny" in parts:
        from benchmarks.reference import scrutiny

        yield from scrutiny.measure(
            work / "models.json", work / "pictures", given.threads, given.repeats,
            bfloat16=bfloat16,
        )  # fmt: skip
    for part in ("verdicts", "blur", "calls", "batching"):
        if part in parts and (part != "verdicts" or bfloat16):
            yield from in_a_process(part, given, work)


def _has_bfloat16() -> bool:
    """Whether the CPU computes with it rather than through float32."""
    cpu = Path("/proc/cpuinfo")
    return cpu.is_file() and any(
        flag in cpu.read_text("utf-8") for flag in ("avx512_bf16", "amx_bf16", " bf16 ")
    )


if __name__ == "__main__":
    main()
