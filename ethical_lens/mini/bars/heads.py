"""How well the heads find what they are for, in painted pictures. Bars: precision, recall 0.97."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch
from PIL import Image

from ethical_lens.generation.painter import Painter
from ethical_lens.image.encoder import ImageEncoder
from ethical_lens.image.faces import FaceReader
from ethical_lens.image.heads import Heads
from ethical_lens.image.regions import RegionFinder
from ethical_lens.image.scrutineer import Scrutineer
from ethical_lens.image.scrutinise import ScrutinyRequest, scrutinise
from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.bars.painter import SURE, paint, prompted_scene
from ethical_lens.mini.judge import Judge, Judgement
from ethical_lens.mini.training.clip import clip_source
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.drawing import Drawing, draw
from ethical_lens.mini.world.scene import Scene
from ethical_lens.policy import Policy
from ethical_lens.results import Concept, PictureAction

SEED: Final = 909_304
_BATCH: Final = 64
_REGIONAL: Final = {Concept.NUDE: "nude/repaired", Concept.PUBLIC: "public/repaired"}


def measure(models: Path, count: int) -> dict[str, Share]:
    """Shares over `count` painted pictures: `nsfw/precision`, `nsfw/recall` and so on at the
    thresholds of the policy, where the judge says what a picture shows.

    A picture that was asked for something, and painted so badly that the judge does not see it, is
    no false alarm: `nsfw/precision/seen` and so on count those as false too. And over as many
    drawings `nude/repaired`, `public/repaired`: of those that show that alone, how many the
    product releases after its blur.
    """
    encoder = ImageEncoder.load(clip_source(models / "clip"), torch.device("cpu"))
    scrutineer = Scrutineer(encoder, Heads.load(models / "heads", encoder.dimension), {})
    painter, judge = Painter.load(models / "pipeline", "cpu"), Judge.load(models / "judge")
    finder = RegionFinder.load(str(models / "regions"), "cpu")
    reader = FaceReader.load(models / "faces", "cpu")
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    for start in range(0, count, _BATCH):
        indices = range(start, min(start + _BATCH, count))
        scenes = [prompted_scene(random.Random(f"{SEED}/{index}")) for index in indices]
        pictures = paint(painter, scenes, first_seed=SEED + start)
        for name, right in _found(scenes, pictures, judge.judge(pictures), scrutineer):
            answers[name].append(right)
        drawings = [draw(scene_at("balanced", SEED, index)) for index in indices]
        for name, right in _repaired(drawings, scrutineer, finder, reader):
            answers[name].append(right)
    return shares(answers)


def _found(
    scenes: list[Scene],
    pictures: list[Image.Image],
    judgements: list[Judgement],
    scrutineer: Scrutineer,
) -> Iterator[tuple[str, bool]]:
    thresholds, scores = Policy().thresholds, scrutineer.score(pictures)
    for scene, judgement, score in zip(scenes, judgements, scores, strict=True):
        for concept in Concept:
            fired = score[concept] >= thresholds[concept.value]
            there = judgement.concepts[concept] >= SURE
            if fired:
                yield f"{concept.value}/precision/seen", there
            if fired and (there or concept not in scene.concepts):
                yield f"{concept.value}/precision", there
            if there:
                yield f"{concept.value}/recall", fired


def _repaired(
    drawings: list[Drawing], scrutineer: Scrutineer, finder: RegionFinder, reader: FaceReader
) -> Iterator[tuple[str, bool]]:
    alone = [
        (drawing, concept)
        for drawing in drawings
        for concept in drawing.scene.concepts & set(_REGIONAL)
        if len(drawing.scene.concepts) == 1
    ]
    if not alone:
        return
    requests = [
        ScrutinyRequest(
            image=drawing.picture,
            round=1,
            under_twenty=False,
            figures=tuple(person.figure for person in drawing.scene.people if person.figure),
            policy=Policy(),
        )
        for drawing, _ in alone
    ]
    outcomes = scrutinise(requests, scrutineer, finder, reader)
    for (_, concept), outcome in zip(alone, outcomes, strict=True):
        # Not all of these were blurred: what no head found was released as it was.
        released = outcome.final.action is PictureAction.RELEASE
        yield _REGIONAL[concept], released and outcome.blurred is not None
