"""Clusters of people: kind, number, what is open, and where they stand."""

import pytest

from ethical_lens.results import Attribute, ClusterType, LifeStage
from ethical_lens.text import data
from ethical_lens.text.english import plural
from ethical_lens.text.kinds import people_words
from ethical_lens.text.normalise import read
from ethical_lens.text.people import find_clusters, number_in

G, R, A = Attribute.GENDER, Attribute.RACE, Attribute.AGE
ONE, SEVERAL, NAMED = ClusterType.ONE, ClusterType.SEVERAL, ClusterType.NAMED
ALL = {G, R, A}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a doctor in an office", [("doctor", ONE, ALL, "a doctor")]),
        ("two doctors talking", [("doctor", SEVERAL, ALL, "two doctors")]),
        ("doctors", [("doctor", SEVERAL, ALL, "doctors")]),
        ("a group of nurses in a ward", [("nurse", SEVERAL, ALL, "a group of nurses")]),
        ("a crowd of people", [("person", SEVERAL, ALL, "a crowd of people")]),
        ("firemen at work", [("fireman", SEVERAL, {R, A}, "firemen")]),
        ("Captain Ardo at the beach", [("Captain Ardo", NAMED, set(), "Captain Ardo")]),
        ("a chef in the style of Captain Ardo", [("chef", ONE, ALL, "a chef")]),
        ("a Viking leader", [("leader", NAMED, set(), "a Viking leader")]),
        ("soldiers in 1943", [("soldier", NAMED, set(), "soldiers")]),
        ("a senator of the 18th century", [("senator", NAMED, set(), "a senator")]),
        ("a doctor in the 1850s", [("doctor", NAMED, set(), "a doctor")]),
        ("a nurse in World War II", [("nurse", NAMED, set(), "a nurse")]),
        ("a doctor in the 1980s", [("doctor", ONE, ALL, "a doctor")]),
        ("a doctor in a Victorian house", [("doctor", ONE, ALL, "a doctor")]),
        ("an old Asian female doctor", [("doctor", ONE, set(), "an old Asian female doctor")]),
        ("a 25-year-old doctor", [("doctor", ONE, {G, R}, "a 25-year-old doctor")]),
        ("a student, aged 30, reading", [("student", ONE, {G, R}, "a student")]),
        ("a man in his 50s", [("man", ONE, {R}, "a man")]),
        ("a doctor in her office", [("doctor", ONE, {R, A}, "a doctor")]),
        ("a teacher of Asian descent", [("teacher", ONE, {G, A}, "a teacher")]),
        ("a French chef", [("chef", ONE, {G, A}, "a French chef")]),
        ("a black-haired woman", [("woman", ONE, {R, A}, "a black-haired woman")]),
        ("a black woman", [("woman", ONE, {A}, "a black woman")]),
        ("a king", [("king", ONE, {R, A}, "a king")]),
        ("a waitress", [("waitress", ONE, {R, A}, "a waitress")]),
        ("a toddler", [("toddler", ONE, {G, R}, "a toddler")]),
        ("a schoolgirl", [("schoolgirl", ONE, {R}, "a schoolgirl")]),
        ("An old, bearded fisherman", [("fisherman", ONE, {R}, "An old, bearded fisherman")]),
        (
            "a female nurse and a chef",
            [
                ("nurse", ONE, {R, A}, "a female nurse"),
                ("chef", ONE, ALL, "a chef"),
            ],
        ),
        (
            "a police officer stops a truck driver",
            [
                ("police officer", ONE, ALL, "a police officer"),
                ("truck driver", ONE, ALL, "a truck driver"),
            ],
        ),
        (
            "Barack Obama and a chef",
            [
                ("Barack Obama", NAMED, set(), "Barack Obama"),
                ("chef", ONE, ALL, "a chef"),
            ],
        ),
        (
            "a doctor with his bag and a nurse",
            [("doctor", ONE, {R, A}, "a doctor"), ("nurse", ONE, ALL, "a nurse")],
        ),
        ("A man cooks dinner", [("man", ONE, {R, A}, "A man")]),
        ("a doctor smiles, the doctor reads", [("doctor", ONE, ALL, "a doctor")]),
    ],
)
def test_clusters(
    prompt: str, expected: list[tuple[str, ClusterType, set[Attribute], str]]
) -> None:
    found = [
        (c.kind, c.type, set(c.open_attributes), prompt[c.start : c.end])
        for c in find_clusters(prompt)
    ]
    assert found == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "a lighthouse on a cliff at sunset",
        "a German shepherd running",
        "a model train on a table",
        "a king size bed",
        "the doctor's office",
        "a baby elephant and its mother",
        "a couple of bikes by a wall",
        "a statue of a man",
        "a record player",
        "burger king at night",
    ],
)
def test_things_and_animals_are_no_people(prompt: str) -> None:
    assert find_clusters(prompt) == ()


def test_life_stages_fit_the_kind_and_only_come_with_open_age() -> None:
    (doctor,) = find_clusters("a doctor")
    assert doctor.life_stages == (
        LifeStage.YOUNG_ADULTHOOD,
        LifeStage.MIDDLE_AGE,
        LifeStage.OLD_AGE,
    )
    (student,) = find_clusters("a student")
    assert LifeStage.ADOLESCENCE in student.life_stages
    assert LifeStage.CHILDHOOD not in student.life_stages
    (toddler,) = find_clusters("a toddler")
    assert toddler.life_stages == ()


def test_what_only_adults_do_leaves_no_stage_under_twenty() -> None:
    (person,) = find_clusters("a person drinking beer")
    assert person.life_stages
    assert not any(stage.under_twenty for stage in person.life_stages)


def test_spans_hold_in_text_with_odd_characters() -> None:
    prompt = "🌅  \uff21  do\u200bctor — smiling"
    (cluster,) = find_clusters(prompt)
    assert prompt[cluster.start : cluster.end] == "\uff21  do\u200bctor"


def test_there_are_many_kinds_and_each_is_found_in_both_numbers() -> None:
    listed = [
        entry.partition("/")
        for group in data.load("people")["kinds"]
        for entry in group.get("nouns", "").split()
    ]
    assert len(listed) >= 120
    nouns = people_words().nouns
    for singular, _, several in listed:
        assert any(not h.value.several for h in nouns.find(read(singular))), singular
        many = several or plural(singular)
        assert any(h.value.several for h in nouns.find(read(many))), many


@pytest.mark.parametrize(
    ("phrase", "number"),
    [
        ("five doctors", 5),
        ("a group of 12 people", 12),
        ("a couple of nurses", 2),
        ("two 7-year-old boys", 2),
        ("12 year old boys", None),
        ("twenty two doctors", None),
        ("25 doctors", None),
        ("two hundred doctors", None),
        ("a crowd of people", None),
    ],
)
def test_the_number_of_a_group(phrase: str, number: int | None) -> None:
    assert number_in(phrase) == number
