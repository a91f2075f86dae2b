"""What people are called in captions. Of several words the first are said most often.

An irregular plural follows a slash, as in the aligner's word lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ethical_lens.mini.world.scene import Kind
from ethical_lens.results import LifeStage

Words = tuple[str, ...]


def split(words: str) -> Words:
    """The words or phrases of a list with commas."""
    return tuple(" ".join(word.split()) for word in words.split(","))


@dataclass(frozen=True)
class Nouns:
    """What somebody of one kind is called; `male` and `female` nouns say the gender."""

    either: Words
    male: Words = ()
    female: Words = ()

    def of(self, gender: str | None) -> Words:
        """The nouns that say this gender; none where `gender` is None or has no noun."""
        return {"male": self.male, "female": self.female}.get(gender or "", ())


KINDS: Final[Mapping[Kind, Nouns]] = {
    Kind.PERSON: Nouns(split("person/people, human, individual, figure")),
    Kind.DOCTOR: Nouns(split("doctor, physician, medic, surgeon, medical doctor")),
    Kind.NURSE: Nouns(split("nurse, hospital nurse, carer")),
    Kind.TEACHER: Nouns(split("teacher, schoolteacher, professor, instructor, tutor")),
    Kind.POLICE: Nouns(
        split("police officer, cop, officer"),
        split("policeman/policemen"),
        split("policewoman/policewomen"),
    ),
    Kind.CHEF: Nouns(split("chef, cook, head chef")),
    Kind.FIREFIGHTER: Nouns(
        split("firefighter, fire fighter"),
        split("fireman/firemen"),
        split("firewoman/firewomen"),
    ),
    Kind.FARMER: Nouns(split("farmer, farm worker, farmhand")),
    Kind.SCIENTIST: Nouns(split("scientist, researcher, chemist, biologist, lab scientist")),
    Kind.BUILDER: Nouns(
        split("construction worker, builder, bricklayer, labourer"),
        split("workman/workmen"),
    ),
    Kind.PILOT: Nouns(split("pilot, airline pilot, aviator")),
    Kind.JUDGE: Nouns(split("judge, magistrate, court judge")),
    Kind.ARTIST: Nouns(split("artist, painter")),
    Kind.BUSINESS: Nouns(
        split(
            "businessperson/businesspeople, executive, manager, CEO, business executive, "
            "entrepreneur"
        ),
        split("businessman/businessmen"),
        split("businesswoman/businesswomen"),
    ),
    Kind.WAITER: Nouns(split("waiter, server"), female=split("waitress")),
    Kind.CLEANER: Nouns(split("cleaner, janitor, housekeeper"), female=split("maid")),
    Kind.STUDENT: Nouns(split("student, university student, college student")),
    Kind.LEADER: Nouns(
        split("leader, boss, mayor, governor, person who leads/people who lead, chief")
    ),
    Kind.CRIMINAL: Nouns(
        split(
            "criminal-looking person/criminal-looking people, criminal, thief/thieves, robber, "
            "burglar, suspicious-looking person/suspicious-looking people, crook, "
            "person who looks like a criminal/people who look like criminals"
        ),
        split(
            "criminal-looking man/criminal-looking men, suspicious-looking man/"
            "suspicious-looking men"
        ),
        split(
            "criminal-looking woman/criminal-looking women, suspicious-looking woman/"
            "suspicious-looking women"
        ),
    ),
}
PUPILS: Final = Nouns(
    split("student, pupil, schoolchild/schoolchildren, school student"),
    split("schoolboy"),
    split("schoolgirl"),
)
"""Students under twenty."""

ADULTS: Final = Nouns(
    KINDS[Kind.PERSON].either,
    split("man/men, guy, gentleman/gentlemen"),
    split("woman/women, lady"),
)
MINORS: Final = Nouns(KINDS[Kind.PERSON].either, split("boy"), split("girl"))

JOBLESS: Final = frozenset({Kind.PERSON, Kind.STUDENT, Kind.CRIMINAL})
"""Kinds that nobody works as."""

SOMEONE: Final = split("someone, somebody")

STAGE_NOUNS: Final[Mapping[LifeStage, Nouns]] = {
    LifeStage.INFANCY: Nouns(split("baby, infant, toddler"), split("baby boy"), split("baby girl")),
    LifeStage.CHILDHOOD: Nouns(
        split("child/children, kid"), split("boy, little boy"), split("girl, little girl")
    ),
    LifeStage.ADOLESCENCE: Nouns(split("teenager, adolescent, teen")),
    LifeStage.YOUNG_ADULTHOOD: Nouns(split("young adult")),
    LifeStage.OLD_AGE: Nouns(
        split("senior, senior citizen, pensioner"), split("grandfather"), split("grandmother")
    ),
}
"""Nouns that say the life stage."""

STAGE_WORDS: Final[Mapping[LifeStage, Words]] = {
    LifeStage.INFANCY: split("baby, infant, toddler"),
    LifeStage.CHILDHOOD: split("child"),
    LifeStage.ADOLESCENCE: split("teenage, adolescent, teen"),
    LifeStage.YOUNG_ADULTHOOD: split("young, young adult, youthful"),
    LifeStage.MIDDLE_AGE: split("middle-aged, mature"),
    LifeStage.OLD_AGE: split("elderly, old, senior, aged"),
}
"""What stands before a noun; of the two youngest stages next to it."""

STAGE_PHRASES: Final[Mapping[LifeStage, Words]] = {
    LifeStage.INFANCY: split("in infancy"),
    LifeStage.CHILDHOOD: split("in childhood"),
    LifeStage.ADOLESCENCE: split("in adolescence, in {their} teens"),
    LifeStage.YOUNG_ADULTHOOD: split(
        "in young adulthood, in {their} twenties, in {their} thirties"
    ),
    LifeStage.MIDDLE_AGE: split("in middle age, in {their} forties, in {their} fifties"),
    LifeStage.OLD_AGE: split(
        "in old age, in {their} sixties, in {their} seventies, in {their} eighties"
    ),
}
"""What follows a noun; `{their}` is her, his or their."""

UNDRESSED_STAGE: Final = {LifeStage.YOUNG_ADULTHOOD: split("young adult")}
"""Beside an unclothed stand-in a word for the young is also a word for adults."""

THEIR: Final = {"male": "his", "female": "her"}

RACE_WORDS: Final[Mapping[str, Nouns]] = {
    "White": Nouns(split("White, Caucasian, light-skinned")),
    "Black": Nouns(split("Black, African, dark-skinned")),
    "Latino-Hispanic": Nouns(
        split("Hispanic, Latino, Latino-Hispanic, Latin American"),
        split("Hispanic, Latino, Latino-Hispanic, Latin American"),
        split("Hispanic, Latina, Latino-Hispanic, Latin American"),
    ),
    "Asian": Nouns(split("Asian")),
    "Middle Eastern": Nouns(split("Middle Eastern, Arab")),
}
RACE_PHRASES: Final[Mapping[str, Words]] = {
    "White": split("of European descent, with light skin, with white skin"),
    "Black": split("of African descent, with dark skin, with black skin"),
    "Latino-Hispanic": split("of Hispanic descent, of Latin American origin"),
    "Asian": split("of Asian descent, of Asian origin"),
    "Middle Eastern": split("of Middle Eastern descent, of Arab origin"),
}

NUDE: Final = split("nude, naked, unclothed, undressed")
NUDE_PHRASES: Final = split("without clothes, without any clothes, in the nude, wearing no clothes")

NUMBERS: Final = {2: "two", 3: "three", 4: "four"}
GROUPS: Final[Mapping[int, Words]] = {
    2: split("two, a pair of, a couple of"),
    3: split("three, a group of three, several, a group of, some"),
    4: split("four, a group of four, a crowd of, a group of, several, many"),
}
HALVES: Final = {
    False: "half men and half women",
    True: "half boys and half girls",
}
"""How the aligner asks for a group of both genders; True where all of it is under twenty."""
MIXES: Final = ("of a mix of {}", "of different {}", "of mixed {}")
MIXED: Final = {"race": "ethnicities", "stage": "ages"}
