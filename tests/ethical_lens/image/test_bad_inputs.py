"""Every public function of scrutiny refuses the same bad images by the same errors."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ethical_lens.image.blur import blur_region
from ethical_lens.image.errors import PictureTooLarge, UnreadablePicture
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise
from ethical_lens.policy import BlurSettings, Policy

Function = Callable[[Image.Image], object]


@pytest.fixture(params=["score", "encode", "find", "heat", "read", "scrutinise", "blur"])
def function(
    request: pytest.FixtureRequest,
    scrutineer: Scrutineer,
    region_finder: RegionFinder,
    sees_nobody: FaceReader,
) -> Function:
    def whole(image: Image.Image) -> object:
        asked = ScrutinyRequest(
            image=image, round=1, under_twenty=False, figures=(), policy=Policy()
        )
        return scrutinise([asked], scrutineer, region_finder, sees_nobody)

    return {
        "score": lambda image: scrutineer.score([image]),
        "encode": lambda image: scrutineer.encoder.encode([image]),
        "find": lambda image: region_finder.find(image, "face", BlurSettings()),
        "heat": lambda image: region_finder.heat(image, "face"),
        "read": lambda image: sees_nobody.read([image]),
        "scrutinise": whole,
        "blur": lambda image: blur_region(
            image, np.ones((image.height, image.width), dtype=np.bool_), BlurSettings()
        ),
    }[request.param]


@pytest.mark.parametrize(
    ("size", "mode", "error"),
    [
        ((0, 0), "RGB", UnreadablePicture),
        ((20_000, 20_000), "1", PictureTooLarge),
        ((8, 800), "RGB", PictureTooLarge),
        ((8, 8), "F", UnreadablePicture),
    ],
)
def test_bad_images(
    function: Function, size: tuple[int, int], mode: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        function(Image.new(mode, size))


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "L", "P"])
def test_any_mode(function: Function, pictures: list[Image.Image], mode: str) -> None:
    function(pictures[0].convert(mode))
