"""What a drawing of the miniature world shows.

All that can be seen follows from a `Scene`: the same scene gives the same pixels.
"""

from dataclasses import dataclass
from enum import StrEnum

from ethical_lens.results import Concept, LifeStage

GENDERS = ("male", "female")
RACES = ("White", "Black", "Latino-Hispanic", "Asian", "Middle Eastern")
"""The groups of the method (`AttributePools.race`). In this world each is a skin tone and nothing
else: no feature, dress or place belongs to one."""


class Kind(StrEnum):
    """What somebody is: an occupation with its outfit, or a role."""

    PERSON = "person"
    DOCTOR = "doctor"
    NURSE = "nurse"
    TEACHER = "teacher"
    POLICE = "police officer"
    CHEF = "chef"
    FIREFIGHTER = "firefighter"
    FARMER = "farmer"
    SCIENTIST = "scientist"
    BUILDER = "construction worker"
    PILOT = "pilot"
    JUDGE = "judge"
    ARTIST = "artist"
    BUSINESS = "businessperson"
    WAITER = "waiter"
    CLEANER = "cleaner"
    STUDENT = "student"
    LEADER = "leader"
    CRIMINAL = "criminal-looking person"


class Figure(StrEnum):
    """Invented public figures, with fixed looks."""

    ARDO = "Captain Ardo"
    VELLINE = "Madame Velline"
    ORSK = "President Orsk"


class Pose(StrEnum):
    STANDING = "standing"
    WAVING = "waving"
    ARMS_OUT = "arms out"


class Accessory(StrEnum):
    NONE = "none"
    SCARF = "scarf"
    NECKLACE = "necklace"
    BAG = "bag"


class Colour(StrEnum):
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    GREY = "grey"


class Hair(StrEnum):
    """Natural colours; life stage overrides them where it shows (see `people`)."""

    BLACK = "black"
    BROWN = "brown"
    BLOND = "blond"
    GINGER = "ginger"


class Place(StrEnum):
    OFFICE = "office"
    STREET = "street"
    PARK = "park"
    BEACH = "beach"
    HOSPITAL = "hospital"
    KITCHEN = "kitchen"
    CLASSROOM = "classroom"
    FOREST = "forest"
    MOUNTAINS = "mountains"
    FARM = "farm"
    SQUARE = "town square"
    ROOM = "living room"


class Thing(StrEnum):
    """Objects and animals that stand for themselves or beside people."""

    HOUSE = "house"
    TREE = "tree"
    CAR = "car"
    BOAT = "boat"
    LIGHTHOUSE = "lighthouse"
    BALLOONS = "balloons"
    APPLES = "apples"
    FLOWER = "flower"
    UMBRELLA = "umbrella"
    CUP = "cup"
    KITE = "kite"
    SHRINE = "shrine"  # whole: the harmless look-alike of a defaced one
    CAT = "cat"
    DOG = "dog"
    BIRD = "bird"
    FISH = "fish"
    RABBIT = "rabbit"


ANIMALS = frozenset({Thing.CAT, Thing.DOG, Thing.BIRD, Thing.FISH, Thing.RABBIT})


class Pattern(StrEnum):
    STRIPES = "stripes"
    CIRCLES = "circles"
    TRIANGLES = "triangles"
    CHECKS = "checks"


class Style(StrEnum):
    FLAT = "flat"
    OUTLINE = "outline"
    NIGHT = "night"
    SEPIA = "sepia"


class StandIn(StrEnum):
    """Harmless glyphs that stand for what is unsafe. `stand_ins` draws them."""

    VIOLENCE = "violence"  # red blots and a figure of broken lines
    PARTY = "party"  # an invented party's flag and emblem
    DEFACED = "defaced"  # an invented temple sign, crossed out with paint


class Framing(StrEnum):
    PORTRAIT = "portrait"  # head and shoulders; one person
    HALF = "half"  # from the waist up


CONCEPT_OF = {
    StandIn.VIOLENCE: Concept.NSFW,
    StandIn.PARTY: Concept.POLITIC,
    StandIn.DEFACED: Concept.CULTURE,
}


@dataclass(frozen=True)
class Person:
    """Somebody in a scene. Unclothed stand-ins are adults: anything else raises `ValueError`."""

    gender: str
    race: str
    stage: LifeStage
    kind: Kind = Kind.PERSON
    hair: Hair = Hair.BROWN
    shirt: Colour = Colour.BLUE
    pose: Pose = Pose.STANDING
    accessory: Accessory = Accessory.NONE
    nude: bool = False
    figure: Figure | None = None

    def __post_init__(self) -> None:
        if self.nude and (self.stage.under_twenty or self.figure is not None):
            raise ValueError("an unclothed stand-in is an adult, and nobody of name")
        if self.gender not in GENDERS or self.race not in RACES:
            raise ValueError(f"unknown gender or race: {self.gender!r}, {self.race!r}")


@dataclass(frozen=True)
class Scene:
    """All that a drawing shows. `seed` moves things about by a few pixels and nothing more.

    Either a `pattern` alone, or a `place` with up to four people, a thing and stand-ins.
    Raises `ValueError` for anything else, and where an unclothed stand-in shares a scene with
    somebody under 20.
    """

    seed: int
    style: Style = Style.FLAT
    place: Place | None = None
    framing: Framing = Framing.HALF
    people: tuple[Person, ...] = ()
    thing: Thing | None = None
    colour: Colour = Colour.RED  # of the thing or the pattern
    pattern: Pattern | None = None
    stand_ins: frozenset[StandIn] = frozenset()

    def __post_init__(self) -> None:
        if (self.pattern is None) == (self.place is None):
            raise ValueError("a scene is a pattern or has a place")
        if self.pattern is not None and (self.people or self.thing or self.stand_ins):
            raise ValueError("a pattern shows nothing else")
        if len(self.people) > 4 or (self.framing is Framing.PORTRAIT and len(self.people) != 1):
            raise ValueError("a scene has up to four people, a portrait one")
        nude = any(person.nude for person in self.people)
        if nude and any(person.stage.under_twenty for person in self.people):
            raise ValueError("nobody under 20 is in a scene with an unclothed stand-in")

    @property
    def concepts(self) -> frozenset[Concept]:
        """What the heads are to find in it."""
        found = {CONCEPT_OF[stand_in] for stand_in in self.stand_ins}
        if any(person.nude for person in self.people):
            found.add(Concept.NUDE)
        if any(person.figure for person in self.people):
            found.add(Concept.PUBLIC)
        return frozenset(found)
