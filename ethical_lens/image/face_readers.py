"""Which face reader a set of models has: one trained as a whole, or one put together.

The second kind finds faces with the region finder of scrutiny and reads their crops with FairFace's
network where its weights are at hand, else with the encoder of scrutiny and a few texts. Neither
needs a model of its own beyond that.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ethical_lens.image.attributes import ClipAttributes, FairFaceAttributes
from ethical_lens.image.errors import ModelFailed
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.reading import as_picture
from ethical_lens.image.readings import Attributes, Box, FaceReading, ReadsFaces
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.sources import ModelSources

SURE: Final = 0.5
"""Where the region finder is surer than this, there is a face."""
MARGIN: Final = 1.25
"""Side of the square around a face that is read, in longer sides of its box, as FairFace's crops
were made (padding 0.25)."""
_LEAST: Final = 1 / 2000  # of the picture; what is smaller is a speckle


class ReadsAttributes(Protocol):
    """Says of a face what it looks like."""

    def read(self, crops: Sequence[Image.Image]) -> list[Attributes]:
        """One answer per crop (RGB, square, one face). Raises `ScrutinyError`."""


def load_face_reader(
    sources: ModelSources, scrutineer: Scrutineer, regions: RegionFinder
) -> ReadsFaces:
    """The face reader of `sources`: a folder is loaded as a whole, a file as FairFace's weights,
    and without either the encoder of `scrutineer` reads.

    Raises `ScrutinyUnavailable` with what is missing.
    """
    if sources.faces is None:
        return RegionFaceReader(regions, ClipAttributes.load(sources.clip, scrutineer.encoder))
    if sources.faces.is_file():
        return RegionFaceReader(regions, FairFaceAttributes.load(sources.faces, sources.device))
    return FaceReader.load(sources.faces, sources.device)


class RegionFaceReader:
    """Takes every separate region that is a face to the region finder for one face."""

    def __init__(self, regions: RegionFinder, attributes: ReadsAttributes) -> None:
        self._regions = regions
        self._attributes = attributes

    def read(self, images: Sequence[Image.Image]) -> list[tuple[FaceReading, ...]]:
        """As `ReadsFaces`: one pass of the region finder per picture, one of the attributes."""
        images = [as_picture(image) for image in images]
        found = [
            (row, box, score)
            for row, image in enumerate(images)
            for box, score in _faces(self._regions.heat(image, "face"), image)
        ]
        crops = [_crop(images[row], box) for row, box, _ in found]
        readings: list[list[FaceReading]] = [[] for _ in images]
        for (row, box, score), odds in zip(found, self._read(crops), strict=True):
            readings[row].append(FaceReading(box, score, *odds))
        return [tuple(sorted(some, key=lambda face: face.box)) for some in readings]

    def _read(self, crops: Sequence[Image.Image]) -> list[Attributes]:
        answers = self._attributes.read(crops) if crops else []
        values = [v for some in answers for odds in some for v in odds.probabilities.values()]
        if not np.isfinite(values).all():
            raise ModelFailed("the numbers of the attribute reader are not finite")
        return answers


def _faces(heat: npt.NDArray[np.float32], image: Image.Image) -> Iterator[tuple[Box, float]]:
    """The box, in pixels of `image`, of each region of `heat`, and its highest value."""
    rows, columns = heat.shape
    x, y = image.width / columns, image.height / rows
    for cells in regions_of(heat > SURE):
        if len(cells) < _LEAST * heat.size:
            continue
        (top, left), (bottom, right) = cells.min(0), cells.max(0) + 1
        yield (
            (left * x, top * y, right * x, bottom * y),
            float(heat[cells[:, 0], cells[:, 1]].max()),
        )


def regions_of(mask: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.intp]]:
    """The connected regions of `mask` (h, w), each as its cells (k, 2): row and column."""
    left = {(row, column) for row, column in np.argwhere(mask).tolist()}
    while left:
        edge, region = [left.pop()], []
        while edge:
            row, column = edge.pop()
            region.append((row, column))
            for near in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        yield np.array(region)


def _crop(image: Image.Image, box: Box) -> Image.Image:
    """The square around `box`; black beyond the picture."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * MARGIN / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return image.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
