"""How well the encoder tells captions apart. Bars: `retrieval` 0.80, `ranking` 0.95."""

import random
from pathlib import Path
from typing import Final

import open_clip
import torch
from torch.nn import functional

from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.training.clip import clip_source
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.drawing import draw

SEED: Final = 909_301
_CROWD: Final = 100
_CHOICES: Final = 10


def measure(models: Path, count: int) -> dict[str, Share]:
    """Shares over `count` drawings, rounded down to whole hundreds, and captions that say all in
    sentences never trained on.

    `retrieval`: the right caption among 100 is the nearest; `retrieval/picture`: the right picture
    for a caption; `ranking`: the right caption among 10. `partial/…`: captions that leave things
    unsaid, where several may be true.
    """
    folder = models / "clip"
    encoder = ImageEncoder.load(clip_source(folder), torch.device("cpu"))
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder.resolve()}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder.resolve()}")
    found: dict[str, list[float]] = {}
    for start in range(0, count - count % _CROWD, _CROWD):
        scenes = [scene_at("balanced", SEED, start + i) for i in range(_CROWD)]
        features = encoder.encode([draw(scene).picture for scene in scenes])
        pictures = functional.normalize(features, dim=-1)
        rng = random.Random(f"{SEED}/{start}")
        for prefix, full in (("", True), ("partial/", False)):
            texts = [captions(scene, rng, held_out=True, full=full)[0] for scene in scenes]
            with torch.inference_mode():
                said = model.eval().encode_text(tokenize(texts), normalize=True)
            near = pictures @ said.T
            own = torch.arange(_CROWD)
            few = near.view(_CROWD, -1, _CHOICES)[own, own // _CHOICES]
            for name, right in (
                ("retrieval", near.argmax(1) == own),
                ("retrieval/picture", near.argmax(0) == own),
                ("ranking", few.argmax(1) == own % _CHOICES),
            ):
                found.setdefault(prefix + name, []).extend(right.tolist())
    return shares(found)
