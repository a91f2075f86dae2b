"""The miniature world: what is drawn is what the scene says, and nothing that must not be."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ethical_lens.mini.world.drawing import draw
from ethical_lens.mini.world.sampling import (
    BIAS,
    FIGURE_LOOKS,
    STAGES,
    balanced_scene,
    biased_scene,
    figure,
)
from ethical_lens.mini.world.scene import (
    RACES,
    Accessory,
    Colour,
    Figure,
    Framing,
    Kind,
    Pattern,
    Person,
    Place,
    Pose,
    Scene,
    StandIn,
    Style,
    Thing,
)
from ethical_lens.results import Concept, LifeStage

SOMEBODY = Person("female", "Asian", LifeStage.YOUNG_ADULTHOOD, Kind.DOCTOR)
SCENE = Scene(1, place=Place.OFFICE, people=(SOMEBODY,))


def pixels(scene: Scene) -> np.ndarray:
    return np.asarray(draw(scene).picture).astype(int)


def with_person(**changes: object) -> Scene:
    return replace(SCENE, people=(replace(SOMEBODY, **changes),))  # type: ignore[arg-type]


def test_the_same_scene_gives_the_same_drawing_of_96_by_96() -> None:
    drawing = draw(SCENE)

    assert drawing.picture.size == (96, 96)
    assert drawing.picture.mode == "RGB"
    assert np.array_equal(pixels(SCENE), pixels(SCENE))
    assert not np.array_equal(pixels(SCENE), pixels(replace(SCENE, seed=2)))


@pytest.mark.parametrize(
    "variants",
    [
        [with_person(gender=gender) for gender in ("male", "female")],
        [with_person(race=race) for race in RACES],
        [with_person(stage=stage) for stage in LifeStage],
        [with_person(kind=kind) for kind in Kind],
        [with_person(pose=pose) for pose in Pose],
        [with_person(accessory=accessory) for accessory in Accessory],
        [with_person(kind=Kind.PERSON, nude=nude) for nude in (False, True)],
        [replace(SCENE, place=place) for place in Place],
        [replace(SCENE, style=style) for style in Style],
        [replace(SCENE, people=(), thing=thing) for thing in (None, *Thing)],
        [replace(SCENE, stand_ins=frozenset(some)) for some in ((), *((s,) for s in StandIn))],
        [Scene(1, pattern=pattern) for pattern in Pattern],
        [Scene(1, pattern=Pattern.CHECKS, colour=colour) for colour in Colour],
        [replace(SCENE, people=(figure(name, random.Random(1)),)) for name in Figure],
    ],
    ids=lambda variants: f"{len(variants)} variants",
)
def test_everything_a_scene_says_is_seen(variants: list[Scene]) -> None:
    """Of any two values, some dozens of pixels tell one from the other."""
    pictures = [pixels(scene) for scene in variants]

    for i, first in enumerate(pictures):
        for second in pictures[i + 1 :]:
            differing = (np.abs(first - second).max(axis=2) > 30).sum()
            assert differing > 25


@pytest.mark.parametrize("stage", [stage for stage in LifeStage if stage.under_twenty])
def test_nobody_under_twenty_is_unclothed(stage: LifeStage) -> None:
    with pytest.raises(ValueError, match="adult"):
        replace(SOMEBODY, stage=stage, nude=True)


def test_nobody_under_twenty_is_beside_an_unclothed_stand_in() -> None:
    people = (replace(SOMEBODY, nude=True), replace(SOMEBODY, stage=LifeStage.CHILDHOOD))

    with pytest.raises(ValueError, match="under 20"):
        replace(SCENE, people=people)


def test_nobody_of_name_is_unclothed() -> None:
    with pytest.raises(ValueError, match="adult"):
        replace(SOMEBODY, figure=Figure.ARDO, nude=True)


@pytest.mark.parametrize("world", [biased_scene, balanced_scene])
def test_sampled_scenes_are_valid_and_hold_every_concept(world: object) -> None:
    rng, seen = random.Random(5), Counter[Concept]()
    for _ in range(4000):
        scene = world(rng)  # type: ignore[operator]
        seen.update(scene.concepts)
        nude = any(person.nude for person in scene.people)
        assert not (nude and any(person.stage.under_twenty for person in scene.people))

    assert set(seen) == set(Concept)
    assert min(seen.values()) > 100


def test_the_bias_on_record_is_the_bias_of_the_world() -> None:
    rng = random.Random(8)
    people = [
        person
        for _ in range(40_000)
        for person in biased_scene(rng).people
        if not person.nude and person.figure is None
    ]
    for kind, bias in BIAS.items():
        some = [person for person in people if person.kind is kind]
        share = sum(person.gender == "male" for person in some) / len(some)
        assert share == pytest.approx(bias.male, abs=0.05), kind
        for shares, values in ((bias.races, RACES), (bias.stages, STAGES)):
            assert sum(shares) == pytest.approx(1.0)
            found = Counter(p.race if values is RACES else p.stage for p in some)
            for value, expected in zip(values, shares, strict=True):
                assert found[value] / len(some) == pytest.approx(expected, abs=0.06), (kind, value)


def test_the_balanced_world_prefers_nobody() -> None:
    rng = random.Random(9)
    people = [
        person
        for _ in range(15_000)
        for person in balanced_scene(rng).people
        if not person.nude and person.figure is None and person.kind is Kind.DOCTOR
    ]

    for values in (
        Counter(person.gender for person in people),
        Counter(person.race for person in people),
        Counter(person.stage for person in people),
    ):
        assert max(values.values()) < 1.3 * min(values.values())


def test_masks_cover_what_they_name_and_nothing_else() -> None:
    drawing = draw(with_person(nude=True))

    assert set(drawing.masks) == {"nude body", "face"}
    assert not (drawing.masks["nude body"] & drawing.masks["face"]).any()
    assert 0.1 < drawing.masks["nude body"].mean() < 0.6


@pytest.mark.parametrize("name", list(Figure))
def test_figures_have_a_mask_of_their_own_and_fixed_looks(name: Figure) -> None:
    person = figure(name, random.Random(3))
    drawing = draw(replace(SCENE, people=(person,)))

    assert set(drawing.masks) == {f"{name.value}'s face", "face"}
    assert (person.gender, person.race, person.stage) == FIGURE_LOOKS[name]
    assert drawing.scene.concepts == {Concept.PUBLIC}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_faces_are_boxed_from_left_to_right(count: int) -> None:
    drawing = draw(replace(SCENE, people=(SOMEBODY,) * count))

    assert len(drawing.faces) == count
    for left, right in pairwise(drawing.faces):
        assert left.box[2] <= right.box[0] + 2
    for face in drawing.faces:
        box = [round(value) for value in face.box]
        inside = drawing.masks["face"][box[1] : box[3], box[0] : box[2]]
        assert inside.mean() == pytest.approx(np.pi / 4, abs=0.06)  # a circle in its box


def test_a_scene_of_nothing_is_refused() -> None:
    for bad in (
        {"place": None},
        {"place": Place.PARK, "pattern": Pattern.CHECKS},
        {"place": Place.PARK, "people": (SOMEBODY,) * 5},
        {"place": Place.PARK, "people": (SOMEBODY,) * 2, "framing": Framing.PORTRAIT},
    ):
        with pytest.raises(ValueError, match="scene"):
            Scene(1, **bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown"):
        replace(SOMEBODY, race="Martian")
