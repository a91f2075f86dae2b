"""How well regions are found. Bars: `…/iou` 0.70, `…/absent` 0.98, but for faces as such."""

from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np

from ethical_lens.image.regions import RegionFinder
from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.training.masks import REGIONS
from ethical_lens.mini.world.drawing import draw
from ethical_lens.policy import BlurSettings

SEED: Final = 909_303
_EXACT: Final = BlurSettings(dilation=0)


def measure(models: Path, count: int) -> dict[str, Share]:
    """Over `count` drawings, by query: `iou`, the mean intersection over union where it is there
    (a miss is 0), and `absent`, the share without it in which not one pixel is found."""
    finder = RegionFinder.load(str(models / "regions"), "cpu")
    answers: defaultdict[str, list[float]] = defaultdict(list)
    for index in range(count):
        drawing = draw(scene_at("balanced", SEED, index))
        for query in REGIONS:
            found, truth = finder.find(drawing.picture, query, _EXACT), drawing.masks.get(query)
            if truth is None:
                answers[f"{query}/absent"].append(float(found is None))
            elif found is None:
                answers[f"{query}/iou"].append(0.0)
            else:
                answers[f"{query}/iou"].append(float(np.sum(found & truth) / np.sum(found | truth)))
    return shares(answers)
