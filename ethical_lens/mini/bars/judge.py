"""How well the judge reads balanced drawings. The bar is 0.97 for everything but `all/`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ethical_lens.mini.bars import Share, shares
from ethical_lens.mini.judge import Judge, Judgement, SeenPerson
from ethical_lens.mini.training.drawings import scene_at
from ethical_lens.mini.world.drawing import Drawing, Face, draw
from ethical_lens.mini.world.scene import Figure, Person
from ethical_lens.results import Concept

SEED: Final = 909_001
_BATCH: Final = 64
_SURE: Final = 0.5

Answers = Iterator[tuple[str, bool]]
"""What was asked, and whether the judge was right."""


def measure(models: Path, count: int) -> dict[str, Share]:
    """Shares of right answers over `count` drawings.

    `single/kind` and so on: of the main person where one is shown; `all/…`: of everybody, who is
    not found being wrong. `people`: the exact number. `nsfw/precision`, `Captain Ardo/recall`: of
    concepts and figures. `place`, `style`. What does not show is not asked: the outfit of who is
    unclothed, all of a figure.
    """
    judge = Judge.load(models / "judge")
    answers: defaultdict[str, list[bool]] = defaultdict(list)
    for start in range(0, count, _BATCH):
        indices = range(start, min(start + _BATCH, count))
        drawings = [draw(scene_at("balanced", SEED, index)) for index in indices]
        judgements = judge.judge([drawing.picture for drawing in drawings])
        for drawing, judgement in zip(drawings, judgements, strict=True):
            for name, right in _answers(drawing, judgement):
                answers[name].append(right)
    return shares(answers)


def _answers(drawing: Drawing, judgement: Judgement) -> Answers:
    scene = drawing.scene
    yield "people", len(judgement.people) == len(scene.people)
    yield "place", judgement.place == scene.place
    yield "style", judgement.style is scene.style
    if len(drawing.faces) == 1:
        yield from _of_person("single", scene.people[0], judgement.main)
    for face in drawing.faces:
        yield from _of_person("all", face.person, _seen(face, judgement))
    figures = {person.figure for person in scene.people}
    for concept in Concept:
        yield from _found(concept, concept in scene.concepts, judgement.concepts[concept])
    for figure in Figure:
        yield from _found(figure, figure in figures, judgement.figures[figure])


def _seen(face: Face, judgement: Judgement) -> SeenPerson | None:
    left, top, right, bottom = face.box
    inside = (
        person
        for person in judgement.people
        if left <= person.x <= right and top <= person.y <= bottom
    )
    return max(inside, key=lambda person: person.score, default=None)


def _of_person(prefix: str, truth: Person, seen: SeenPerson | None) -> Answers:
    if truth.figure is not None:
        yield f"{prefix}/figure", seen is not None and seen.figure is truth.figure
        return
    if truth.nude:
        yield f"{prefix}/nude", seen is not None and seen.nude
    else:
        yield f"{prefix}/kind", seen is not None and seen.kind is truth.kind
    yield f"{prefix}/gender", seen is not None and seen.gender == truth.gender
    yield f"{prefix}/race", seen is not None and seen.race == truth.race
    yield f"{prefix}/stage", seen is not None and seen.stage is truth.stage


def _found(name: str, truth: bool, score: float) -> Answers:
    said = score >= _SURE
    if truth:
        yield f"{name}/recall", said
    if said:
        yield f"{name}/precision", truth
