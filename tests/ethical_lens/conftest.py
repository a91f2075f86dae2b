"""Models of random weights, built and loaded once per test run.

Heavy imports stay inside the fixtures: tests of the pure modules do not pay for them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ethical_lens.sources import ModelSources

if TYPE_CHECKING:
    from PIL import Image

    from ethical_lens.generation.painter import Painter
    from ethical_lens.image.faces import FaceReader
    from ethical_lens.image.regions import RegionFinder
    from ethical_lens.image.scrutineer import Scrutineer


@pytest.fixture(scope="session")
def random_models_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `models.json` of a freshly built folder."""
    from random_models import write_models

    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def sources(random_models_file: Path) -> ModelSources:
    return ModelSources.read(random_models_file).model_copy(update={"device": "cpu"})


@pytest.fixture(scope="session")
def painter(sources: ModelSources) -> "Painter":
    from ethical_lens.generation.painter import Painter
    from random_models import PIPELINE

    return Painter.load(sources.pipeline(PIPELINE), sources.device, sources.dtype)


@pytest.fixture(scope="session")
def scrutineer(sources: ModelSources) -> "Scrutineer":
    from ethical_lens.image.scrutineer import Scrutineer

    return Scrutineer.load(sources)


@pytest.fixture(scope="session")
def region_finder(sources: ModelSources) -> "RegionFinder":
    from ethical_lens.image.regions import RegionFinder

    return RegionFinder.load(sources.regions, sources.device)


@pytest.fixture(scope="session")
def sees_nobody() -> "FaceReader":
    """A face reader that has learned nothing yet: to begin with, faces are rare."""
    import torch

    from ethical_lens.image.faces import FaceClassifier, FaceDetector, FaceReader, FacesConfig
    from ethical_lens.results import LifeStage

    config = FacesConfig(genders=("male", "female"), races=("one",), stages=tuple(LifeStage))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return FaceReader(config, FaceDetector(), FaceClassifier(config), torch.device("cpu"))


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
