"""Three targets found and blurred: three passes, or one."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from PIL import Image

from benchmarks.reference.described import TargetAfterTarget
from benchmarks.reference.report import Row
from ethical_lens.image.blur import blur_region
from ethical_lens.image.regions import RegionFinder
from ethical_lens.policy import BlurSettings

TARGETS = ("nude body", "Captain Ardo's face", "Madam Vell's face")


def measure(
    regions: str, pictures: Sequence[Image.Image], threads: int, repeats: int
) -> Iterator[Row]:
    """Seconds per picture, in turns in one process."""
    torch.set_num_threads(threads)
    theirs, finder, settings = (
        TargetAfterTarget(regions),
        RegionFinder.load(regions),
        BlurSettings(),
    )

    def reference() -> None:
        for picture in pictures:
            theirs.blur(picture, TARGETS)

    def ours() -> None:
        for picture in pictures:
            whole = np.zeros((picture.height, picture.width), dtype=np.bool_)
            for mask in finder.find_all(picture, TARGETS, settings):
                if mask is not None:
                    whole |= mask
            blur_region(picture, whole, settings)

    seconds: dict[Callable[[], None], list[float]] = {reference: [], ours: []}
    for repeat in range(repeats + 1):
        for work, taken in seconds.items():
            began = time.perf_counter()
            work()
            if repeat:  # the first is to warm up
                taken.append((time.perf_counter() - began) / len(pictures))
    yield Row.ratio(
        "blur of three targets: faster", statistics.median(seconds[reference]),
        statistics.median(seconds[ours]), "s", at_least=2.5,
    )  # fmt: skip
