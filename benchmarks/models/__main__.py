"""`python -m benchmarks.models`: seconds to load, paint and scrutinise, against what is allowed."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from ethical_lens.generation.request import PaintRequest
from ethical_lens.policy import Policy
from ethical_lens.sources import MINI, ModelSources

ALLOWED: Final = {"load": 10.0, "paint": 5.0, "scrutinise": 1.0}
"""Seconds on two cores: all models, four pictures at the default steps, scrutiny of the four."""
PROMPTS: Final = (
    "a doctor in an office", "a nude woman on the beach", "Captain Ardo at the beach",
    "a bloody fight in the street",
)  # fmt: skip
"""Two of these need their regions found and blurred, and are scored twice."""
REPEATS: Final = 5

_LOAD: Final = """
import time
began = time.perf_counter()
from benchmarks.models.__main__ import load_all
load_all()
print(time.perf_counter() - began)
"""


def main() -> None:
    measured = {"load": [_seconds_to_load() for _ in range(REPEATS)], **_paint_and_scrutinise()}
    print("| what | median s | slowest s | allowed s | median / allowed |")
    print("|---|---|---|---|---|")
    for name, seconds in measured.items():
        median, allowed = statistics.median(seconds), ALLOWED[name]
        print(
            f"| {name} | {median:.2f} | {max(seconds):.2f} | {allowed:.0f} "
            f"| {median / allowed:.2f} |"
        )


def load_all() -> tuple[object, ...]:
    """Everything that workers load: painter, scrutineer, region finder, face reader."""
    from ethical_lens.generation.painter import Painter
    from ethical_lens.image.face_readers import load_face_reader
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer

    sources = ModelSources.read(MINI)
    scrutineer = Scrutineer.load(sources)
    regions = RegionFinder.load(sources.regions, sources.device)
    return (
        Painter.load(sources.pipeline(MINI), sources.device, sources.dtype),
        scrutineer,
        regions,
        load_face_reader(sources, scrutineer, regions),
    )


def _seconds_to_load() -> float:
    """In a process of its own, with the imports."""
    done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _paint_and_scrutinise() -> dict[str, list[float]]:
    from ethical_lens.generation.painter import Painter
    from ethical_lens.image.face_readers import load_face_reader
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer
    from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise

    sources = ModelSources.read(MINI)
    defaults = sources.pipelines[MINI]
    painter = Painter.load(defaults.source, sources.device, sources.dtype)
    scrutineer = Scrutineer.load(sources)
    finder = RegionFinder.load(sources.regions, sources.device)
    reader = load_face_reader(sources, scrutineer, finder)
    requests = [
        PaintRequest(
            prompt=prompt,
            seed=seed,
            width=defaults.width,
            height=defaults.height,
            steps=defaults.steps,
            guidance_scale=defaults.guidance_scale,
        )
        for seed, prompt in enumerate(PROMPTS)
    ]
    pictures = painter.paint(requests)
    looks = [
        ScrutinyRequest(image=one, round=1, under_twenty=False, figures=(), policy=Policy())
        for one in pictures
    ]
    return {
        "paint": _timed(lambda: painter.paint(requests)),
        "scrutinise": _timed(lambda: scrutinise(looks, scrutineer, finder, reader)),
    }


def _timed(run: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
