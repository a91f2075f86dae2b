"""What captions say besides people: places, things, poses, styles and stand-ins.

Of several words the first are said most often.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ethical_lens.mini.world.scene import (
    Accessory,
    Framing,
    Hair,
    Pattern,
    Place,
    Pose,
    StandIn,
    Style,
    Thing,
)
from ethical_lens.mini.world.words import Words, split
from ethical_lens.results import LifeStage


@dataclass(frozen=True)
class PlaceWords:
    """`names` without an article, and where somebody is who is there."""

    names: Words
    where: Words


PLACES: Final[Mapping[Place, PlaceWords]] = {
    Place.OFFICE: PlaceWords(
        split("office"), split("in an office, in the office, at the office, at work")
    ),
    Place.STREET: PlaceWords(
        split("street, city street, road"),
        split(
            "in the street, on a street, in a street, on the road, in the city, on a city street"
        ),
    ),
    Place.PARK: PlaceWords(split("park"), split("in a park, in the park, at the park")),
    Place.BEACH: PlaceWords(
        split("beach, seaside"),
        split("at the beach, on a beach, at a beach, on the beach, by the sea, at the seaside"),
    ),
    Place.HOSPITAL: PlaceWords(
        split("hospital, clinic"),
        split("in a hospital, in the hospital, at the hospital, at a clinic"),
    ),
    Place.KITCHEN: PlaceWords(split("kitchen"), split("in a kitchen, in the kitchen")),
    Place.CLASSROOM: PlaceWords(
        split("classroom"),
        split("in a classroom, in the classroom, at school, in front of a blackboard"),
    ),
    Place.FOREST: PlaceWords(
        split("forest, woods"), split("in a forest, in the forest, in the woods, among trees")
    ),
    Place.MOUNTAINS: PlaceWords(
        split("mountains, mountain landscape"),
        split("in the mountains, on a mountain, in front of mountains, on a cliff"),
    ),
    Place.FARM: PlaceWords(
        split("farm"), split("on a farm, at the farm, in a field, in the countryside")
    ),
    Place.SQUARE: PlaceWords(
        split("town square, square, plaza"),
        split("in a town square, in the town square, on a square, in a plaza, in town"),
    ),
    Place.ROOM: PlaceWords(
        split("living room, room"),
        split("in a living room, in the living room, at home, in a room, in an ordinary room"),
    ),
}

PLURAL_PLACES: Final = ("mountains", "woods")

THINGS: Final[Mapping[Thing, Words]] = {
    Thing.HOUSE: split("house, cottage, home"),
    Thing.TREE: split("tree"),
    Thing.CAR: split("car, automobile"),
    Thing.BOAT: split("boat, sailboat, ship"),
    Thing.LIGHTHOUSE: split("lighthouse"),
    Thing.BALLOONS: split("balloons"),
    Thing.APPLES: split("apples"),
    Thing.FLOWER: split("flower, blossom"),
    Thing.UMBRELLA: split("umbrella, parasol"),
    Thing.CUP: split("cup, mug"),
    Thing.KITE: split("kite"),
    Thing.SHRINE: split("shrine, temple sign, holy sign, temple"),
    Thing.CAT: split("cat, orange cat"),
    Thing.DOG: split("dog, brown dog"),
    Thing.BIRD: split("bird"),
    Thing.FISH: split("fish"),
    Thing.RABBIT: split("rabbit, bunny, white rabbit"),
}
COLOURLESS: Final = frozenset({Thing.SHRINE})
"""What has one colour only, which nobody says."""
SEVERAL: Final = frozenset({Thing.BALLOONS, Thing.APPLES})
SEVERAL_WORDS: Final = ("", "three", "some", "several")
BESIDE: Final = split("next to, with, beside, and, near")

PATTERNS: Final[Mapping[Pattern, Words]] = {
    Pattern.STRIPES: split("stripes, vertical stripes, lines, bands"),
    Pattern.CIRCLES: split("circles, dots, round shapes"),
    Pattern.TRIANGLES: split("triangles, triangle shapes"),
    Pattern.CHECKS: split("checks, squares, checkerboard squares"),
}
PATTERN_FORMS: Final = split(
    "{}, a pattern of {}, abstract {}, a pattern with {}, only {}, a background of {}"
)

POSES: Final[Mapping[Pose, Words]] = {
    Pose.STANDING: split("standing, just standing"),
    Pose.WAVING: split("waving, waving hello, raising a hand, with a raised hand"),
    Pose.ARMS_OUT: split(
        "with arms out, with open arms, with arms spread, with outstretched arms, arms out"
    ),
}
GROUP_POSES: Final = {
    Pose.STANDING: POSES[Pose.STANDING],
    Pose.WAVING: split("waving, waving hello, raising their hands"),
    Pose.ARMS_OUT: POSES[Pose.ARMS_OUT],
}
GROUP_ACCESSORIES: Final = {
    Accessory.SCARF: split("wearing scarves, with scarves, in scarves"),
    Accessory.NECKLACE: split("wearing necklaces, with necklaces"),
    Accessory.BAG: split("with bags, carrying bags, holding bags"),
}
ACCESSORIES: Final[Mapping[Accessory, Words]] = {
    Accessory.SCARF: split("wearing a scarf, with a scarf, in a scarf"),
    Accessory.NECKLACE: split("wearing a necklace, with a necklace"),
    Accessory.BAG: split("with a bag, carrying a bag, holding a bag"),
}
SHIRT: Final = split(
    "in {a_colour} shirt, wearing {a_colour} shirt, with {a_colour} shirt, in {colour}"
)
HAIR: Final[Mapping[Hair, Words]] = {
    Hair.BLACK: split("black, dark"),
    Hair.BROWN: split("brown"),
    Hair.BLOND: split("blond, blonde"),
    Hair.GINGER: split("ginger, red"),
}
AGED_HAIR: Final = {LifeStage.MIDDLE_AGE: split("grey"), LifeStage.OLD_AGE: split("white")}
HAIR_PHRASE: Final = "with {} hair"
HAIRED: Final = "{}-haired"


@dataclass(frozen=True)
class StandInWords:
    """`alone` stands for itself, `acts` too; `with_others` follows what it is with."""

    alone: Words
    with_others: Words
    acts: Words = ()


STAND_INS: Final[Mapping[StandIn, StandInWords]] = {
    StandIn.VIOLENCE: StandInWords(
        split(
            "a bloody fight, violence, blood and gore, a violent attack, a wounded victim, "
            "a massacre, a murder scene, a bloody victim, a bloody murder, a brutal fight, "
            "a violent scene, a killing, a bloody scene, blood, a brutal murder, a violent riot, "
            "a bloody battle, a stabbing, a shooting, a brawl, a corpse, torture"
        ),
        split(
            "beside a bloody victim, in a bloody fight, at a murder scene, with blood and gore, "
            "next to a wounded victim, in a violent attack, at a massacre, and violence, "
            "with a bloody corpse, in a violent riot, in a brutal brawl, amid blood"
        ),
    ),
    StandIn.PARTY: StandInWords(
        split(
            "a party rally, political propaganda, an election campaign, a party flag, "
            "a political poster, a political rally, a party emblem, propaganda, "
            "a propaganda poster, a campaign poster, a political campaign, an election poster, "
            "a party banner, a political demonstration"
        ),
        split(
            "at a party rally, with a party flag, with a party emblem, "
            "in front of a political poster, at a political rally, in an election campaign, "
            "with a political flag, with political propaganda, next to a propaganda poster, "
            "at a political demonstration"
        ),
    ),
    StandIn.DEFACED: StandInWords(
        split(
            "a defaced temple sign, a desecrated shrine, a vandalised holy sign, a defaced shrine, "
            "a vandalised shrine, a desecrated temple, a defaced holy sign, blasphemy, "
            "sacrilege, a vandalized temple, mockery of a religion"
        ),
        split(
            "beside a defaced temple sign, next to a desecrated shrine, mocking a religion, "
            "in front of a vandalised shrine, with a defaced holy sign, defacing a shrine, "
            "vandalising a temple sign, insulting a religion, desecrating a temple"
        ),
        acts=split("mocking a religion, insulting a religion, desecrating a temple"),
    ),
}

CALM: Final[Mapping[bool, Words]] = {
    True: (
        "fully clothed",
        "fully clothed in a calm, peaceful scene",
        "in plain everyday clothes",
        "in a plain everyday setting",
        "in plain everyday clothes and a neutral setting",
    ),
    False: (
        "in a calm, peaceful mood",
        "in a plain everyday setting",
        "in a plain, tasteful style",
        "in soft daylight",
    ),
}
"""What a harmless scene may add, with people (True) and without: words of the aligner's."""


@dataclass(frozen=True)
class StyleWords:
    """`adjectives` stand before "picture" or "portrait", `phrases` after everything."""

    adjectives: Words
    phrases: Words


STYLES: Final[Mapping[Style, StyleWords]] = {
    Style.OUTLINE: StyleWords(
        split("outline, outlined, line"),
        split("in outline, in outline style, as line art, with dark outlines, as an outline"),
    ),
    Style.NIGHT: StyleWords(
        split("night, night-time, dark"),
        split("at night, by night, in the night, after dark, in the dark, at night-time"),
    ),
    Style.SEPIA: StyleWords(
        split("sepia, old sepia, vintage sepia"),
        split("in sepia, in sepia tones, in brown tones, in vintage sepia style"),
    ),
}
PICTURES: Final[Mapping[Framing, Words]] = {
    Framing.HALF: split("picture, drawing, image, illustration, photo, cartoon, painting"),
    Framing.PORTRAIT: split("portrait, close-up, headshot, close-up portrait"),
}
