"""Verdicts in float32 and bfloat16 with models that are trained: those of the miniature world."""

from collections.abc import Iterator
from typing import Final

import torch

from benchmarks.reference.report import Row
from ethical_lens.decide import decide_picture
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.heads import Heads
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.drawing import draw
from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from ethical_lens.sources import MINI, ModelSources

SEED: Final = 70_001


def measure(count: int) -> Iterator[Row]:
    """`count` drawings of all kinds, stand-ins of what is unsafe among them."""
    sources = ModelSources.read(MINI)
    pictures = [draw(scene_at("balanced", SEED, index)).picture for index in range(count)]
    scores = {}
    for dtype in (torch.float32, torch.bfloat16):
        encoder = ImageEncoder.load(sources.clip, torch.device("cpu"), dtype)
        scores[dtype] = Scrutineer(encoder, Heads.load(sources.heads, encoder.dimension), {}).score(
            pictures
        )
    verdicts = [
        [decide_picture(one, Policy(), round=1, repaired=False, under_twenty=False) for one in some]
        for some in scores.values()
    ]
    changed = sum(
        (a.action, {f.concept for f in a.findings}) != (b.action, {f.concept for f in b.findings})
        for a, b in zip(*verdicts, strict=True)
    )
    flagged = sum(one.action is not PictureAction.RELEASE for one in verdicts[0])
    yield Row(
        "verdicts that differ, bfloat16 and float32, miniature models",
        f"of {count}, {flagged} with a finding", "", float(changed), "0", met=changed == 0,
    )  # fmt: skip
