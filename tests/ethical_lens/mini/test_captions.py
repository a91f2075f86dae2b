"""Captions of scenes: what they say, what they never say, and the two sets of sentences."""

import random
import re

import pytest

from ethical_lens.mini.world import scene_words, words
from ethical_lens.mini.world.captions import CAPTION_WORDS, captions
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
from ethical_lens.mini.world.templates import HELD_OUT, TRAINING
from ethical_lens.results import LifeStage
from ethical_lens.text.english import article
from ethical_lens.text.minors import mentions_minor
from ethical_lens.text.normalise import read

ADULTS = [stage for stage in LifeStage if not stage.under_twenty]


def somebody(rng: random.Random, *, nude: bool = False, kind: Kind | None = None) -> Person:
    return Person(
        rng.choice(GENDERS),
        rng.choice(RACES),
        rng.choice(ADULTS if nude else list(LifeStage)),
        kind or rng.choice(list(Kind)),
        rng.choice(list(Hair)),
        rng.choice(list(Colour)),
        rng.choice(list(Pose)),
        rng.choice(list(Accessory)),
        nude=nude,
    )


def scenes(seed: int, number: int, *, nude: bool = False) -> list[Scene]:
    """Scenes of every sort; with `nude` only ones with unclothed stand-ins."""
    rng, made = random.Random(seed), []
    for _ in range(number):
        style, colour = rng.choice(list(Style)), rng.choice(list(Colour))
        if not nude and rng.random() < 0.08:
            made.append(Scene(0, style, colour=colour, pattern=rng.choice(list(Pattern))))
            continue
        shared = rng.choice([None, rng.choice(list(Kind))])
        count = rng.choice([1, 1, 1, 2, 3, 4]) if nude else rng.choice([0, 1, 1, 2, 3, 4])
        people = [somebody(rng, nude=nude, kind=shared) for _ in range(count)]
        if people and not nude and rng.random() < 0.2:
            looks = ("female", "White", LifeStage.OLD_AGE)
            people[-1] = Person(*looks, figure=rng.choice(list(Figure)))
        made.append(
            Scene(
                0,
                style,
                rng.choice(list(Place)),
                Framing.PORTRAIT if len(people) == 1 and rng.random() < 0.4 else Framing.HALF,
                tuple(people),
                rng.choice([None, None, *Thing]),
                colour,
                stand_ins=frozenset(s for s in StandIn if rng.random() < 0.1),
            )
        )
    return made


def said(scene: Scene, number: int, **options: bool) -> list[str]:
    rng = random.Random(5)
    return [captions(scene, rng, **options)[0] for _ in range(number)]


def alone(**looks: object) -> Scene:
    attributes = {"gender": "female", "race": "Asian", "stage": LifeStage.MIDDLE_AGE} | looks
    return Scene(0, place=Place.OFFICE, people=(Person(**attributes),))  # type: ignore[arg-type]


def test_the_same_scene_and_chance_give_the_same_captions() -> None:
    for scene in scenes(1, 50):
        first, second = (captions(scene, random.Random(3), count=4) for _ in range(2))
        assert first == second


def test_several_captions_differ() -> None:
    for scene in scenes(2, 100):
        assert len(set(captions(scene, random.Random(4), count=5))) == 5


def test_more_captions_than_a_scene_has_wordings() -> None:
    assert len(captions(Scene(0, place=Place.PARK), random.Random(0), count=2000)) == 2000


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_captions_are_tidy_english(held_out: bool, full: bool) -> None:
    for scene in (*scenes(6, 500), *scenes(7, 100, nude=True)):
        (text,) = captions(scene, random.Random(scene.seed), held_out=held_out, full=full)
        assert text == " ".join(text.split())
        assert not re.search(
            r"[{}/]| ,|,,|,$|\bwith with\b|\band and\b|\b(an?|the) (an?|the)\b", text
        )
        for one, word in re.findall(r"\b([Aa]n?) ([\w-]+)", text):
            assert one.lower() == article(word), text


def test_every_word_is_listed() -> None:
    for scene in (*scenes(8, 1000), *scenes(9, 300, nude=True)):
        for held_out in (False, True):
            (text,) = captions(scene, random.Random(1), held_out=held_out)
            assert set(re.findall(r"[a-z]+", text.lower())) <= CAPTION_WORDS, text


def test_held_out_sentences_are_never_trained_on() -> None:
    names = ("frames", "orders", "where_first", "jobs")
    held_out, training = (
        [sentence for name in names for sentence in getattr(templates, name)]
        for templates in (HELD_OUT, TRAINING)
    )
    assert not set(held_out) & set(training)
    heard = set(re.findall(r"\w+", " ".join(training)))
    assert set(re.findall(r"\w+", " ".join(held_out))) <= heard


def test_no_held_out_caption_is_a_training_caption() -> None:
    every, rng = [*scenes(10, 2000), *scenes(11, 300, nude=True)], random.Random(12)
    trained = {text.lower().strip(".") for s in every for text in captions(s, rng, count=2)}
    tested = {captions(s, rng, held_out=True)[0].lower().strip(".") for s in every}
    assert not trained & tested


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_beside_an_unclothed_stand_in_nothing_speaks_of_the_young(
    held_out: bool, full: bool
) -> None:
    bare = [*words.NUDE, *words.NUDE_PHRASES]
    for scene in scenes(13, 150, nude=True):
        for text in captions(scene, random.Random(1), count=2, held_out=held_out, full=full):
            assert not mentions_minor(read(text)), text
            assert not re.search(r"\b(young(?! adult)|youthful|little)\b", text.lower()), text
            assert any(phrase in text.lower() for phrase in bare), text


@pytest.mark.parametrize("stand_in", StandIn)
@pytest.mark.parametrize("people", [0, 1, 3])
def test_what_is_unsafe_is_always_said(stand_in: StandIn, people: int) -> None:
    table = scene_words.STAND_INS[stand_in]
    articles = re.compile(r"\b(an?|the) ")
    phrases = [articles.sub("", p) for p in (*table.alone, *table.acts, *table.with_others)]
    rng = random.Random(14)
    company = tuple(somebody(rng) for _ in range(people))
    scene = Scene(0, place=Place.PARK, people=company, stand_ins=frozenset({stand_in}))
    for text in (*said(scene, 200), *said(scene, 50, held_out=True), *said(scene, 50, full=True)):
        bare = articles.sub("", text.lower())
        assert any(phrase in bare for phrase in phrases), text


@pytest.mark.parametrize("figure", Figure)
def test_figures_are_named_and_nothing_else_is_said_of_them(figure: Figure) -> None:
    person = Person("male", "Black", LifeStage.OLD_AGE, figure=figure)
    for text in said(Scene(0, place=Place.PARK, people=(person,)), 300):
        assert figure.value.lower() in text.lower()
        assert not re.search(r"\b(male|man|black|african|elderly|old|hair|shirt)\b", text.lower())


def test_attributes_are_often_left_unsaid() -> None:
    age = {"middle-aged", "mature", "middle", "forties", "fifties"}
    telling = {"female", "woman", "lady", "asian", *age}
    texts = said(alone(kind=Kind.DOCTOR), 4000)
    silent = [t for t in texts if not telling & set(re.findall(r"[a-z-]+", t.lower()))]
    assert 0.33 < len(silent) / len(texts) < 0.47
    assert any(re.match(r"a doctor( in (an|the) office)?$", text) for text in silent)


@pytest.mark.parametrize(
    ("scene", "text"),
    [
        (alone(kind=Kind.DOCTOR), "a middle-aged Asian female doctor in an office"),
        (
            alone(gender="male", race="Latino-Hispanic", stage=LifeStage.ADOLESCENCE),
            "a teenage Hispanic boy",
        ),
        (alone(race="White", stage=LifeStage.INFANCY), "a White baby girl"),
        (alone(race="Black", stage=LifeStage.YOUNG_ADULTHOOD), "a young Black woman"),
        (
            alone(gender="male", race="Middle Eastern", stage=LifeStage.OLD_AGE),
            "an elderly Middle Eastern man",
        ),
        (alone(stage=LifeStage.CHILDHOOD), "an Asian child"),
        (alone(kind=Kind.JUDGE), "the judge, a middle-aged Asian woman"),
        (alone(kind=Kind.NURSE), "nurse in office"),
        (alone(nude=True), "a nude woman"),
        (
            Scene(
                0,
                place=Place.PARK,
                people=(
                    Person("male", "Black", LifeStage.OLD_AGE, Kind.DOCTOR),
                    Person("female", "Asian", LifeStage.MIDDLE_AGE, Kind.DOCTOR),
                ),
            ),
            "two doctors, half men and half women, of a mix of ethnicities and ages, in a park",
        ),
        (
            Scene(0, place=Place.STREET, thing=Thing.CAR),
            "a red car in the street",
        ),
        (Scene(0, colour=Colour.YELLOW, pattern=Pattern.STRIPES), "yellow stripes"),
        (
            Scene(0, place=Place.STREET, stand_ins=frozenset({StandIn.VIOLENCE})),
            "a bloody fight in the street",
        ),
    ],
)
def test_prompts_as_they_are_typed_and_aligned_occur(scene: Scene, text: str) -> None:
    assert any(text in one for one in said(scene, 12000))


def test_full_captions_say_all_that_can_be_seen() -> None:
    person = Person(
        "female",
        "Asian",
        LifeStage.OLD_AGE,
        shirt=Colour.GREEN,
        pose=Pose.WAVING,
        accessory=Accessory.SCARF,
    )
    scene = Scene(0, Style.NIGHT, Place.BEACH, people=(person,), thing=Thing.CAR)
    for text in said(scene, 300, full=True):
        told = text.lower()
        for pattern in (
            r"female|woman|lady|grandmother",
            r"asian",
            r"elderly|old|senior|aged|grandmother|pensioner|sixties|seventies|eighties",
            r"green",
            r"white.hair",
            r"waving|hand",
            r"scarf",
            r"red (car|automobile)",
            r"beach|sea",
            r"night|dark",
        ):
            assert re.search(pattern, told), (pattern, text)


def test_groups_are_counted() -> None:
    pair = (Person("male", "White", LifeStage.OLD_AGE), Person("male", "White", LifeStage.OLD_AGE))
    three = (*pair, Person("female", "White", LifeStage.OLD_AGE))
    texts = {t.lower() for t in said(Scene(0, place=Place.PARK, people=three), 4000)}
    assert any("two men and a woman" in text for text in texts)
    assert any("three people" in text for text in texts)
    assert not any("one person" in text or "two person" in text for text in texts)


@pytest.mark.parametrize("held_out", [False, True])
def test_attributes_are_all_said_where_asked_for(held_out: bool) -> None:
    doctor = alone(kind=Kind.DOCTOR, gender="male", race="White", stage=LifeStage.OLD_AGE)
    for text in said(doctor, 300, attributes=True, held_out=held_out):
        told = text.lower()
        assert re.search(r"\b(male|man|guy|gentleman|grandfather)\b", told), text
        assert re.search(r"white|caucasian|light|european", told), text
        assert re.search(r"elderly|old|senior|aged|grand|pension|sixties|seventies|eight", told), (
            text
        )
