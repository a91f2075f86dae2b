"""Who a caption says is there: one person, several alike, or a list of them."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ethical_lens.mini.world import scene_words, words
from ethical_lens.mini.world.costumes import has_hat
from ethical_lens.mini.world.describe import (
    Said,
    Sort,
    among,
    counted,
    describe,
    pick,
    with_article,
)
from ethical_lens.mini.world.scene import Accessory, Kind, Person, Pose, Scene, Style
from ethical_lens.mini.world.templates import HELD_OUT, Templates
from ethical_lens.results import LifeStage

Mask = tuple[bool, bool, bool]
"""Which of gender, race and life stage are said."""

_ALL: Final[Mask] = (True, True, True)
_NONE: Final[Mask] = (False, False, False)
_SOME: Final[Sequence[Mask]] = (
    *[(True, False, False)] * 3,
    *[(False, True, False)] * 2,
    *[(False, False, True)] * 2,
    *[(True, True, False)] * 2,
    *[(True, False, True)] * 2,
    (False, True, True),
    *[_ALL] * 7,
)
_UNSAID: Final = 0.4
"""The share of people of whom no attribute is said."""

_SAYS_POSE: Final = {Pose.STANDING: 0.12, Pose.WAVING: 0.6, Pose.ARMS_OUT: 0.5}
_SHIRT_SHOWS: Final = frozenset({Kind.PERSON, Kind.STUDENT})


class Company(NamedTuple):
    """`who`, what they are `doing` and `wearing`; the last two may be empty."""

    who: str
    doing: str = ""
    wearing: str = ""


def company(
    scene: Scene, rng: random.Random, templates: Templates, *, full: bool, attributes: bool = False
) -> Company:
    """The people of `scene`, in a form of words that `rng` chooses; there is at least one.

    `full` says of each of them all that can be seen, `attributes` gender, group and life stage.
    """
    if len(scene.people) == 1:
        return _one(scene, rng, templates, full, attributes)
    uniform = _same(person.nude for person in scene.people)
    named = any(person.figure for person in scene.people)
    if uniform and not named and not (full or attributes) and rng.random() < 0.5:
        return _alike(scene.people, rng)
    return _listed(scene, rng, full, attributes)


def attributes_said(person: Person, rng: random.Random) -> Iterator[str]:
    """Single words for what is said of somebody's gender, race and life stage."""
    gender, race, stage = _mask(rng, False)
    if gender:
        yield person.gender
    if race:
        yield pick(rng, words.RACE_WORDS[person.race].either)
    if stage:
        undressed = words.UNDRESSED_STAGE.get(person.stage) if person.nude else None
        yield pick(rng, undressed or words.STAGE_WORDS[person.stage])


def _one(
    scene: Scene, rng: random.Random, templates: Templates, full: bool, attributes: bool
) -> Company:
    person = scene.people[0]
    sort = _sort(person, _mask(rng, full or attributes), modest=person.nude)
    doing, wearing, description = _details(person, scene.style, rng, full)
    said_of = sort.said.gender or sort.said.stage
    jobs = 0.6 if templates is HELD_OUT else 0.1
    if said_of and sort.kind not in words.JOBLESS and not sort.nude and rng.random() < jobs:
        as_person = sort._replace(kind=Kind.PERSON)
        bare_job = describe(Sort(sort.kind, minor=sort.minor), 1, rng)
        who = pick(rng, templates.jobs).format(
            person=with_article(describe(as_person, 1, rng, description=description)),
            job=with_article(bare_job),
            bare_job=bare_job,
        )
    else:
        who = _counted(sort, 1, rng, description=description)
    return Company(who, doing, wearing)


def _alike(people: Sequence[Person], rng: random.Random) -> Company:
    """All of them in one noun phrase, sometimes with what makes them differ."""
    number = len(people)
    minor = _same(person.stage.under_twenty for person in people)
    gender, race, stage = _mask(rng, False)
    said = Said(
        people[0].gender if gender and minor and _same(p.gender for p in people) else None,
        people[0].race if race and _same(p.race for p in people) else None,
        people[0].stage if stage and _same(p.stage for p in people) else None,
    )
    kind = people[0].kind if _same(p.kind for p in people) else Kind.PERSON
    nude = people[0].nude
    young = minor and people[0].stage.under_twenty
    sort = Sort(kind, said, minor=young, nude=nude, modest=nude)
    who = _counted(sort, number, rng, grouped=True)
    differ = rng.random()
    if differ < 0.5:
        who = f"{who}{_mixture(people, said, young, rng)}"
    elif differ < 0.65 and kind is not Kind.PERSON and not nude and said.gender is None:
        masked = ((True, False, False), (True, rng.random() < 0.5, False))
        who = f"{who}, {_list(people, among(rng, masked), rng, as_persons=True, modest=nude)},"
    return Company(who, _shared_pose(people, rng, False), _shared_accessory(people, rng))


def _listed(scene: Scene, rng: random.Random, full: bool, attributes: bool) -> Company:
    people = scene.people
    mask = _mask(rng, full or attributes)
    modest = any(person.nude for person in people)
    if full or rng.random() < 0.2:
        members = [_member(person, mask, scene.style, rng, full, modest) for person in people]
        return Company(_joined(members))
    as_persons = mask[0] and rng.random() < 0.25
    who = _list(people, mask, rng, as_persons=as_persons, modest=modest)
    return Company(who, _shared_pose(people, rng, full))


def _member(
    person: Person, mask: Mask, style: Style, rng: random.Random, full: bool, modest: bool
) -> str:
    doing, wearing, description = _details(person, style, rng, full)
    who = _counted(_sort(person, mask, modest=modest), 1, rng, description=description)
    return " ".join(filter(None, (who, doing, wearing)))


def _list(
    people: Iterable[Person],
    mask: Mask,
    rng: random.Random,
    *,
    as_persons: bool,
    modest: bool,
) -> str:
    """ "two men and a woman", "a Black nurse, a chef and a pilot"."""
    sorts = Counter(
        _told_apart(_sort(person, mask, modest=modest, kind=Kind.PERSON if as_persons else None))
        for person in people
    )
    return _joined([_counted(sort, number, rng) for sort, number in sorts.items()])


def _mixture(people: Sequence[Person], said: Said, young: bool, rng: random.Random) -> str:
    """The aligner's words for a group: ", half men and half women, of a mix of ages,"."""
    parts = []
    men = sum(person.gender == "male" for person in people)
    if said.gender is None and abs(2 * men - len(people)) <= 1:
        parts.append(words.HALVES[young])
    mixes = [
        words.MIXED[name]
        for name, stated, values in (
            ("race", said.race, {person.race for person in people}),
            ("stage", said.stage, {person.stage for person in people}),
        )
        if stated is None and len(values) > 1 and rng.random() < 0.8
    ]
    if mixes:
        parts.append(pick(rng, words.MIXES).format(" and ".join(mixes)))
    return f", {', '.join(parts)}," if parts else ""


def _details(person: Person, style: Style, rng: random.Random, full: bool) -> tuple[str, str, str]:
    """What somebody is doing and wearing, and an adjective; only what the drawing shows."""
    doing = description = ""
    wearing = []
    if moves(person) and (full or rng.random() < _SAYS_POSE[person.pose]):
        doing = pick(rng, scene_words.POSES[person.pose])
    if moves(person) and person.accessory is not Accessory.NONE and (full or rng.random() < 0.55):
        wearing.append(pick(rng, scene_words.ACCESSORIES[person.accessory]))
    if _shows_shirt(person) and style is not Style.SEPIA and (full or rng.random() < 0.35):
        shirt = with_article(person.shirt)
        form = pick(rng, scene_words.SHIRT)
        wearing.append(form.format(colour=person.shirt, a_colour=shirt))
    if _shows_hair(person) and (full or rng.random() < 0.15):
        hair = pick(rng, scene_words.AGED_HAIR.get(person.stage) or scene_words.HAIR[person.hair])
        if person.nude or rng.random() < 0.6:
            wearing.append(scene_words.HAIR_PHRASE.format(hair))
        else:
            description = scene_words.HAIRED.format(hair)
    return doing, " and ".join(wearing), description


def moves(person: Person) -> bool:
    """Whether the drawing shows somebody's pose and accessory: infants are swaddled."""
    swaddled = person.stage is LifeStage.INFANCY and person.figure is None
    return not (person.nude or swaddled)


def _shows_shirt(person: Person) -> bool:
    return person.kind in _SHIRT_SHOWS and not (person.nude or person.figure)


def _shows_hair(person: Person) -> bool:
    covered = person.stage is LifeStage.INFANCY or person.figure is not None
    return not covered and (person.gender == "female" or not has_hat(person.kind))


def _shared_pose(people: Sequence[Person], rng: random.Random, full: bool) -> str:
    pose = people[0].pose
    if not _same((person.pose, moves(person)) for person in people) or not moves(people[0]):
        return ""
    if not full and rng.random() > _SAYS_POSE[pose]:
        return ""
    return pick(rng, scene_words.GROUP_POSES[pose])


def _shared_accessory(people: Sequence[Person], rng: random.Random) -> str:
    accessory = people[0].accessory
    alike = _same((person.accessory, moves(person)) for person in people)
    if accessory is Accessory.NONE or not alike or not moves(people[0]):
        return ""
    return pick(rng, scene_words.GROUP_ACCESSORIES[accessory]) if rng.random() < 0.5 else ""


def _sort(person: Person, mask: Mask, *, modest: bool, kind: Kind | None = None) -> Sort:
    if person.figure:
        return Sort(Kind.PERSON, name=person.figure.value)
    said = Said(
        person.gender if mask[0] else None,
        person.race if mask[1] else None,
        person.stage if mask[2] else None,
    )
    return Sort(
        kind or person.kind, said, person.stage.under_twenty, nude=person.nude, modest=modest
    )


def _told_apart(sort: Sort) -> Sort:
    """The sort without what its words do not say: "three pilots", not "two pilots and a pilot"."""
    says_minor = sort.kind is Kind.STUDENT or (sort.kind is Kind.PERSON and sort.said.gender)
    return sort if says_minor else sort._replace(minor=False)


def _counted(
    sort: Sort, number: int, rng: random.Random, *, grouped: bool = False, description: str = ""
) -> str:
    phrase = describe(sort, number, rng, description=description)
    return phrase if sort.name else counted(phrase, number, rng, grouped=grouped)


def _mask(rng: random.Random, full: bool) -> Mask:
    if full:
        return _ALL
    return _NONE if rng.random() < _UNSAID else among(rng, _SOME)


def _same(values: Iterable[object]) -> bool:
    iterator = iter(values)
    first = next(iterator)
    return all(value == first for value in iterator)


def _joined(phrases: Sequence[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
