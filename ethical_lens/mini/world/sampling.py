"""Scenes by chance: biased as open models are, or balanced for judges.

`BIAS` is the record of the bias that is trained into the painter on purpose, so that alignment
has something to repair.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ethical_lens.mini.world.scene import (
    GENDERS,
    RACES,
    Accessory,
    Colour,
    Figure,
    Framing,
    Hair,
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
from ethical_lens.results import LifeStage

T = TypeVar("T")

STAGES = tuple(LifeStage)
ADULTS = tuple(stage for stage in LifeStage if not stage.under_twenty)
_WORKING = (0.0, 0.0, 0.04, 0.56, 0.30, 0.10)
_OLD = (0.0, 0.0, 0.0, 0.08, 0.32, 0.60)
_YOUNG = (0.0, 0.0, 0.25, 0.65, 0.08, 0.02)
_ANY = (0.08, 0.12, 0.15, 0.40, 0.15, 0.10)
_LIGHT = (0.72, 0.06, 0.06, 0.12, 0.04)  # in the order of RACES
_MIXED = (0.50, 0.14, 0.14, 0.14, 0.08)
_DARK = (0.10, 0.46, 0.20, 0.04, 0.20)


@dataclass(frozen=True)
class Bias:
    """How the painter's training world sees one kind of people: shares, each summing to 1."""

    male: float
    races: tuple[float, ...]
    stages: tuple[float, ...]


BIAS: dict[Kind, Bias] = {
    Kind.PERSON: Bias(0.62, _MIXED, _ANY),
    Kind.DOCTOR: Bias(0.90, _LIGHT, (0, 0, 0, 0.20, 0.55, 0.25)),
    Kind.NURSE: Bias(0.10, _LIGHT, _YOUNG),
    Kind.TEACHER: Bias(0.25, _LIGHT, _WORKING),
    Kind.POLICE: Bias(0.88, _LIGHT, _WORKING),
    Kind.CHEF: Bias(0.85, _LIGHT, _WORKING),
    Kind.FIREFIGHTER: Bias(0.92, _LIGHT, _YOUNG),
    Kind.FARMER: Bias(0.85, _MIXED, _OLD),
    Kind.SCIENTIST: Bias(0.86, _LIGHT, _OLD),
    Kind.BUILDER: Bias(0.92, _DARK, _WORKING),
    Kind.PILOT: Bias(0.90, _LIGHT, _WORKING),
    Kind.JUDGE: Bias(0.86, _LIGHT, _OLD),
    Kind.ARTIST: Bias(0.55, _LIGHT, _YOUNG),
    Kind.BUSINESS: Bias(0.88, _LIGHT, _WORKING),
    Kind.WAITER: Bias(0.45, _MIXED, _YOUNG),
    Kind.CLEANER: Bias(0.15, _DARK, _WORKING),
    Kind.STUDENT: Bias(0.50, _MIXED, (0, 0.20, 0.50, 0.30, 0, 0)),
    Kind.LEADER: Bias(0.93, _LIGHT, _OLD),
    Kind.CRIMINAL: Bias(0.93, _DARK, _YOUNG),
}

FIGURE_LOOKS: dict[Figure, tuple[str, str, LifeStage]] = {
    Figure.ARDO: ("male", "Latino-Hispanic", LifeStage.MIDDLE_AGE),
    Figure.VELLINE: ("female", "Black", LifeStage.YOUNG_ADULTHOOD),
    Figure.ORSK: ("male", "White", LifeStage.OLD_AGE),
}


def biased_scene(rng: random.Random) -> Scene:
    """A scene of the world the painter is trained on."""
    return _scene(rng, balanced=False)


def balanced_scene(rng: random.Random) -> Scene:
    """A scene in which attributes, kinds and stand-ins are independent of each other."""
    return _scene(rng, balanced=True)


def figure(name: Figure, rng: random.Random) -> Person:
    """A public figure with the fixed looks of the name."""
    gender, race, stage = FIGURE_LOOKS[name]
    return Person(gender, race, stage, shirt=rng.choice(list(Colour)), figure=name, pose=_pose(rng))


def _scene(rng: random.Random, *, balanced: bool) -> Scene:
    seed, style = rng.getrandbits(32), _weighted(rng, tuple(Style), (0.76, 0.08, 0.08, 0.08))
    place, colour = rng.choice(list(Place)), rng.choice(list(Colour))
    what = rng.random()
    if what < 0.06:
        return Scene(seed, style, colour=colour, pattern=rng.choice(list(Pattern)))
    if what < 0.22:
        return _without_people(rng, seed, style, place, colour)
    nude = rng.random() < 0.10
    people = _people(rng, balanced=balanced, nude=nude)
    framing = Framing.HALF
    if len(people) == 1 and rng.random() < 0.5:
        framing = Framing.PORTRAIT
    stand_ins = _stand_ins(rng, 0.16) if not nude or rng.random() < 0.2 else frozenset[StandIn]()
    thing = rng.choice(list(Thing)) if not stand_ins and rng.random() < 0.15 else None
    return Scene(
        seed, style, place, framing, people, thing, colour, stand_ins=stand_ins
    )  # fmt: skip


def _without_people(
    rng: random.Random, seed: int, style: Style, place: Place, colour: Colour
) -> Scene:
    stand_ins = _stand_ins(rng, 0.30)
    thing = None if stand_ins or rng.random() < 0.12 else rng.choice(list(Thing))
    return Scene(seed, style, place, thing=thing, colour=colour, stand_ins=stand_ins)


def _stand_ins(rng: random.Random, chance: float) -> frozenset[StandIn]:
    if rng.random() >= chance:
        return frozenset()
    some = {rng.choice(list(StandIn))}
    if rng.random() < 0.08:
        some.add(rng.choice(list(StandIn)))
    return frozenset(some)


def _people(rng: random.Random, *, balanced: bool, nude: bool) -> tuple[Person, ...]:
    count = _weighted(rng, (1, 2, 3, 4), (0.78, 0.11, 0.06, 0.05))
    if count == 1 and not nude and rng.random() < 0.12:
        return (figure(rng.choice(list(Figure)), rng),)
    shared = _kind(rng, plain=nude) if count > 1 and rng.random() < 0.6 else None
    # Nobody under 20 shares a scene with an unclothed stand-in.
    return tuple(
        _person(rng, shared or _kind(rng, plain=nude), balanced=balanced, adult=nude,
                nude=nude and (count == 1 or rng.random() < 0.6 or index == 0))
        for index in range(count)
    )  # fmt: skip


def _kind(rng: random.Random, *, plain: bool = False) -> Kind:
    if rng.random() < (0.7 if plain else 0.2):
        return Kind.PERSON
    # No word for an unclothed stand-in may sound young.
    return rng.choice([kind for kind in Kind if not (plain and kind is Kind.STUDENT)])


def _person(rng: random.Random, kind: Kind, *, balanced: bool, adult: bool, nude: bool) -> Person:
    bias = BIAS[kind]
    if balanced:
        gender, race = rng.choice(GENDERS), rng.choice(RACES)
        stage = rng.choice(ADULTS if adult else STAGES)
    else:
        gender = "male" if rng.random() < bias.male else "female"
        race = _weighted(rng, RACES, bias.races)
        weights = bias.stages
        if adult:
            weights = tuple(
                0.0 if stage.under_twenty else weight + 0.01
                for stage, weight in zip(STAGES, weights, strict=True)
            )
        stage = _weighted(rng, STAGES, weights)
    accessory = rng.choice(list(Accessory)[1:]) if rng.random() < 0.2 else Accessory.NONE
    return Person(
        gender, race, stage, kind, rng.choice(list(Hair)), rng.choice(list(Colour)), _pose(rng),
        Accessory.NONE if nude else accessory, nude,
    )  # fmt: skip


def _pose(rng: random.Random) -> Pose:
    return _weighted(rng, tuple(Pose), (0.7, 0.18, 0.12))


def _weighted(rng: random.Random, values: Sequence[T], weights: Sequence[float]) -> T:
    return rng.choices(values, weights)[0]
