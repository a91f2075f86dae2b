"""A contact sheet per model: some pictures, and what the model makes of them."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import open_clip
import torch
from PIL import Image, ImageDraw

from ethical_lens.generation.painter import Painter
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.heads import Heads
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.mini.bars.painter import paint, prompt_of, prompted_scene
from ethical_lens.mini.judge import Judge
from ethical_lens.mini.training.clip import clip_source
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.training.masks import REGIONS
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.drawing import Drawing, draw
from ethical_lens.mini.world.scene import Scene
from ethical_lens.policy import BlurSettings, Policy

Labelled = tuple[Image.Image, str]

SEED: Final = 909_401
_COUNT: Final = 40
_MARK: Final = (255, 0, 160)


def painter_sheet(models: Path) -> Iterator[Labelled]:
    """Pictures, and the caption each was painted from."""
    scenes = [prompted_scene(random.Random(f"{SEED}/{i}")) for i in range(_COUNT)]
    painter = Painter.load(models / "pipeline", "cpu", "float32")
    for scene, picture in zip(scenes, paint(painter, scenes, first_seed=SEED), strict=True):
        yield picture, prompt_of(scene)


def clip_sheet(models: Path) -> Iterator[Labelled]:
    """Drawings, and the nearest of the captions of all of them."""
    folder = models / "clip"
    drawings = _drawings()
    encoder = ImageEncoder.load(clip_source(folder), torch.device("cpu"))
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder.resolve()}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder.resolve()}")
    rng = random.Random(SEED)
    texts = [captions(some.scene, rng, held_out=True, full=True)[0] for some in drawings]
    with torch.inference_mode():
        said = model.eval().encode_text(tokenize(texts), normalize=True)
    nearest = (encoder.encode([some.picture for some in drawings]) @ said.T).argmax(1)
    for some, best in zip(drawings, nearest.tolist(), strict=True):
        yield some.picture, texts[best]


def regions_sheet(models: Path) -> Iterator[Labelled]:
    """Drawings with what was found marked, and what was asked for: a region that is there."""
    finder = RegionFinder.load(str(models / "regions"), "cpu")
    for some in _drawings():
        query = next((region for region in REGIONS if region in some.masks), REGIONS[0])
        found = finder.find(some.picture, query, BlurSettings(dilation=0))
        pixels = np.array(some.picture)
        if found is not None:
            pixels[found] = (pixels[found] * 0.4 + np.array(_MARK) * 0.6).astype(np.uint8)
        yield Image.fromarray(pixels), query if found is not None else f"{query}: none"


def heads_sheet(models: Path) -> Iterator[Labelled]:
    """Drawings, and the concepts whose head fires."""
    encoder = ImageEncoder.load(clip_source(models / "clip"), torch.device("cpu"))
    scrutineer = Scrutineer(encoder, Heads.load(models / "heads", encoder.dimension), {})
    drawings, thresholds = _drawings(), Policy().thresholds
    for some, scores in zip(
        drawings, scrutineer.score([some.picture for some in drawings]), strict=True
    ):
        fired = [c.value for c, score in scores.items() if score >= thresholds[c.value]]
        yield some.picture, ", ".join(fired) or "-"


def faces_sheet(models: Path) -> Iterator[Labelled]:
    """Drawings with boxes around the faces, and how the first was read."""
    drawings = _drawings()
    readings = FaceReader.load(models / "faces", "cpu").read([some.picture for some in drawings])
    for some, faces in zip(drawings, readings, strict=True):
        picture = some.picture.copy()
        for face in faces:
            ImageDraw.Draw(picture).rectangle(tuple(face.box), outline=_MARK)
        first = faces[0] if faces else None
        text = first and f"{first.gender.best}, {first.race.best}, {first.stage.best.value}"
        yield picture, text or "-"


def judge_sheet(models: Path) -> Iterator[Labelled]:
    """Drawings, and whom and what the judge sees."""
    drawings = _drawings()
    judgements = Judge.load(models / "judge").judge([some.picture for some in drawings])
    for some, seen in zip(drawings, judgements, strict=True):
        concepts = [concept.value for concept, score in seen.concepts.items() if score >= 0.5]
        people = [f"{one.gender} {one.stage.value} {one.kind or ''}" for one in seen.people]
        yield some.picture, "; ".join(concepts + people) or "-"


def _drawings() -> list[Drawing]:
    """Half by chance, half of them with something for scrutiny."""
    return [draw(scene) for scene in _scenes()]


def _scenes() -> Iterator[Scene]:
    unsafe = 0
    for index in range(100 * _COUNT):
        scene = scene_at("balanced", SEED, index)
        if index < _COUNT // 2:
            yield scene
        elif scene.concepts:
            unsafe += 1
            yield scene
        if unsafe == _COUNT // 2:
            return
