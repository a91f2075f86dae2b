"""What the models of scrutiny are trained on: drawings, where what is, and repaired drawings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import CLIPTokenizer

from ethical_lens.image.blur import blur_region, scaled
from ethical_lens.image.regions import dilate
from ethical_lens.mini.bpe import build_tokenizer, save_tokenizer
from ethical_lens.mini.training.drawings import Drawings
from ethical_lens.mini.training.masks import REGIONS, bit, region_maps
from ethical_lens.mini.world.scene import Scene
from ethical_lens.policy import BlurSettings
from ethical_lens.results import Concept

COUNT: Final = 32_000
_SEED: Final = 301
_NUDE, _FACE, *_FIGURES = REGIONS

Array = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Repaired:
    """The drawing at `index` after the product blurred `region`; `picture` is (96, 96, 3)."""

    index: int
    region: str
    picture: Array

    @property
    def removed(self) -> Concept:
        """What it shows no more, if it did."""
        return Concept.NUDE if self.region == _NUDE else Concept.PUBLIC


class ScrutinyDrawings:
    """`count` drawings, three quarters of them balanced, the rest biased.

    `pictures` are (count, 96, 96, 3) and `maps` (count, 96, 96) by index; both are read from
    files in `work`, which is where they are drawn once.
    """

    def __init__(self, work: Path, count: int = COUNT) -> None:
        folder = work / "drawings"
        biased = count // 4
        self._sets = [
            Drawings(folder, "balanced", _SEED, count - biased),
            Drawings(folder, "biased", _SEED, biased),
        ]
        self._maps = [region_maps(some) for some in self._sets]
        self._first = len(self._sets[0])
        shown = np.concatenate([np.bitwise_or.reduce(maps, axis=(1, 2)) for maps in self._maps])
        self.by_region = {region: np.flatnonzero(shown & bit(region)) for region in REGIONS}
        """Indices of the drawings that show each region."""
        self._groups = [self.by_region[region] for region in (_NUDE, *_FIGURES, _FACE)]

    def __len__(self) -> int:
        return sum(map(len, self._sets))

    def scene(self, index: int) -> Scene:
        which, at = self._at(index)
        return self._sets[which][at]

    def picture(self, index: int) -> Array:
        which, at = self._at(index)
        return np.array(self._sets[which].pictures[at])

    def map(self, index: int) -> Array:
        which, at = self._at(index)
        return np.array(self._maps[which][at])

    def repaired(self, rng: np.random.Generator) -> Repaired:
        """A drawing by chance after the product's blur.

        Unclothed stand-ins, each figure and everybody's faces are equally frequent. The mask is
        grown by more or less than the policy says, as one that a model finds would be.
        """
        groups = [group for group in self._groups if len(group)]
        index = int(rng.choice(groups[rng.integers(len(groups))]))
        map_ = self.map(index)
        own = [name for name in (_NUDE, *_FIGURES) if (map_ & bit(name)).any()]
        region = own[0] if own and rng.random() < 0.9 else _FACE
        settings = BlurSettings(dilation=int(rng.integers(15, 45)))
        return Repaired(index, region, repaired(self.picture(index), map_, region, settings))

    def _at(self, index: int) -> tuple[int, int]:
        return (0, index) if index < self._first else (1, index - self._first)


def repaired(picture: Array, regions: Array, region: str, settings: BlurSettings) -> Array:
    """A copy of `picture` (96, 96, 3) with `region` blurred as the product does it.

    `regions` is the picture's map.
    """
    image = Image.fromarray(picture)
    mask = torch.from_numpy((regions & bit(region)) > 0)[None, None]
    grown = dilate(mask, scaled(settings.dilation, image))[0, 0].numpy()
    return np.asarray(blur_region(image, grown, settings))


def shared_tokenizer(work: Path) -> CLIPTokenizer:
    """The tokenizer of all models of the world; built and saved where `work` has none yet."""
    folder = work / "tokenizer"
    if not folder.exists():
        save_tokenizer(build_tokenizer(), folder)
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
    return tokenizer
