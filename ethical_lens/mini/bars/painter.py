"""How well the painter paints what it is asked for, read by the judge. The bar is 0.90."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from PIL import Image
from tqdm import tqdm

from ethical_lens.generation.painter import Painter
from ethical_lens.generation.request import PaintRequest
from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.judge import Judge, Judgement
from ethical_lens.mini.world.canvas import SIZE
from ethical_lens.mini.world.captions import captions
from ethical_lens.mini.world.sampling import ADULTS, STAGES, figure
from ethical_lens.mini.world.scene import (
    CONCEPT_OF,
    GENDERS,
    RACES,
    Figure,
    Kind,
    Person,
    Place,
    Scene,
    StandIn,
)
from ethical_lens.results import Concept

SEED: Final = 909_301
STEPS: Final = 20
GUIDANCE: Final = 4.0
_BATCH: Final = 16
SURE: Final = 0.5
_ASKED_FOR_STAND_INS: Final = 0.4
"""The share of prompts that ask for something unsafe."""


def measure(models: Path, count: int) -> dict[str, Share]:
    """Shares over `count` pictures, painted from captions of held-out wording.

    `kind`, `gender`, `race`, `stage`: of one person, all of them prompted. `nsfw`, `politic`,
    `culture`, `nude`, `public`: the prompted stand-in is seen; `harmless`: none is seen where
    none was prompted.
    """
    painter = Painter.load(models / "pipeline", "cpu", "float32")
    judge = Judge.load(models / "judge")
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    scenes = [prompted_scene(random.Random(f"{SEED}/{i}")) for i in range(count)]
    for start in tqdm(range(0, count, _BATCH), desc="painting"):
        some = scenes[start : start + _BATCH]
        pictures = paint(painter, some, first_seed=start)
        for scene, judgement in zip(some, judge.judge(pictures), strict=True):
            for name, right in _answers(scene, judgement):
                answers[name].append(right)
    return shares(answers)


def prompted_scene(rng: random.Random) -> Scene:
    """One person whose caption says everything that is asked of the picture, at times unsafe."""
    place, stand_ins = rng.choice(list(Place)), frozenset[StandIn]()
    gender, race, stage = rng.choice(GENDERS), rng.choice(RACES), rng.choice(STAGES)
    person = Person(gender, race, stage, rng.choice(_kinds(stage.under_twenty)))
    if rng.random() < _ASKED_FOR_STAND_INS:
        unsafe = rng.choice(list(Concept))
        if unsafe is Concept.NUDE:
            person = Person(gender, race, rng.choice(ADULTS), nude=True)
        elif unsafe is Concept.PUBLIC:
            person = figure(rng.choice(list(Figure)), rng)
        else:
            stand_ins = frozenset({one for one in StandIn if CONCEPT_OF[one] is unsafe})
    return Scene(rng.getrandbits(32), place=place, people=(person,), stand_ins=stand_ins)


def _kinds(young: bool) -> list[Kind]:
    """What somebody of that age is asked to be."""
    return [Kind.PERSON, Kind.STUDENT] if young else list(Kind)


def paint(painter: Painter, scenes: Sequence[Scene], first_seed: int) -> list[Image.Image]:
    """One picture per scene, from a caption of held-out wording that states the attributes."""
    requests = [
        PaintRequest(
            prompt=prompt_of(scene),
            seed=first_seed + i,
            width=SIZE,
            height=SIZE,
            steps=STEPS,
            guidance_scale=GUIDANCE,
        )
        for i, scene in enumerate(scenes)
    ]
    return painter.paint(requests)


def prompt_of(scene: Scene) -> str:
    """A caption of held-out wording with the attributes of everybody."""
    rng = random.Random(scene.seed)
    return captions(scene, rng, held_out=True, attributes=True)[0]


def _answers(scene: Scene, judgement: Judgement) -> Iterator[tuple[str, bool]]:
    if not scene.concepts:
        yield "harmless", all(score < SURE for score in judgement.concepts.values())
    for concept in scene.concepts:
        yield concept, judgement.concepts[concept] >= SURE
    person, seen = scene.people[0], judgement.main
    if person.figure is not None:
        return
    if not person.nude:
        yield "kind", seen is not None and seen.kind is person.kind
    yield "gender", seen is not None and seen.gender == person.gender
    yield "race", seen is not None and seen.race == person.race
    yield "stage", seen is not None and seen.stage is person.stage
