"""The stand-in models, built and loaded once per test run.

Heavy imports stay inside the fixtures: tests of the pure modules do not pay for them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ethical_lens.mini import stand_in
from ethical_lens.sources import ModelSources

if TYPE_CHECKING:
    from PIL import Image

    from ethical_lens.generation.painter import Painter
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer


@pytest.fixture(scope="session")
def stand_in_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `models.json` of a freshly built folder."""
    return stand_in.build(tmp_path_factory.mktemp("models") / "stand-in")


@pytest.fixture(scope="session")
def sources(stand_in_file: Path) -> ModelSources:
    return ModelSources.read(stand_in_file).model_copy(update={"device": "cpu"})


@pytest.fixture(scope="session")
def painter(sources: ModelSources) -> "Painter":
    from ethical_lens.generation.painter import Painter

    return Painter.load(sources.pipeline(stand_in.PIPELINE), sources.device, sources.dtype)


@pytest.fixture(scope="session")
def scrutineer(sources: ModelSources) -> "Scrutineer":
    from ethical_lens.image.scrutineer import Scrutineer

    return Scrutineer.load(sources)


@pytest.fixture(scope="session")
def region_finder(sources: ModelSources) -> "RegionFinder":
    from ethical_lens.image.regions import RegionFinder

    return RegionFinder.load(sources.regions, sources.device)


@pytest.fixture(scope="session")
def pictures(painter: "Painter") -> "list[Image.Image]":
    """Eight pictures of 64x64 from seeds 0 to 7."""
    from ethical_lens.generation.request import PaintRequest

    return painter.paint(
        [
            PaintRequest(
                prompt=f"a doctor {seed}", seed=seed, width=64, height=64, steps=4, guidance_scale=5
            )
            for seed in range(8)
        ]
    )
