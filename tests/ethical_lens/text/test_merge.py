"""Merging: fluent English, one prompt per picture, nothing drawn that the prompt states."""

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    ClusterType,
    Factor,
    Label,
    LifeStage,
    PeopleCluster,
    TextVerdict,
)
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.merge import merge_picture
from ethical_lens.text.people import find_clusters

POLICY = Policy()
OLD, MIDDLE, YOUNG = LifeStage.OLD_AGE, LifeStage.MIDDLE_AGE, LifeStage.YOUNG_ADULTHOOD


def verdict(prompt: str, **values: object) -> TextVerdict:
    return TextVerdict.model_validate(
        {
            "labels": {Label.K0},
            "score": 0.0,
            "explanation": "Safe.",
            "prompt": prompt,
            "clusters": find_clusters(prompt),
            **values,
        }
    )


def merged(prompt: str, *draws: AttributeDraw, policy: Policy = POLICY) -> str:
    return merge_picture(verdict(prompt), draws, policy).prompt


def one(
    gender: str | None = None,
    race: str | None = None,
    age: LifeStage | None = None,
    cluster: int = 0,
) -> AttributeDraw:
    return AttributeDraw(cluster=cluster, gender=gender, race=race, age=age)


@pytest.mark.parametrize(
    ("prompt", "draw", "expected"),
    [
        (
            "a doctor in an office",
            one("female", "Asian", OLD),
            "an elderly Asian female doctor in an office",
        ),
        ("an engineer", one("male", "Black", MIDDLE), "a middle-aged Black male engineer"),
        ("a doctor", one(race="Asian"), "an Asian doctor"),
        ("a doctor", one(age=YOUNG), "a young doctor"),
        ("a doctor", one("male", "Latino-Hispanic", YOUNG), "a young Hispanic male doctor"),
        ("A doctor at work", one("male", "White", OLD), "An elderly White male doctor at work"),
        ("Doctor at work", one("male", "White", OLD), "Elderly White male doctor at work"),
        ("doctor at work", one("male", "White", OLD), "elderly White male doctor at work"),
        ("the doctor", one("male", "White", OLD), "the elderly White male doctor"),
        ("one doctor", one("female"), "one female doctor"),
        ("photo of a doctor", one("female", age=OLD), "photo of an elderly female doctor"),
        ("a tall doctor", one("female", "Asian", OLD), "a tall elderly Asian female doctor"),
        ("a ship doctor", one("female", "Asian", OLD), "an elderly Asian female ship doctor"),
        ("a French chef", one("male", age=OLD), "an elderly French male chef"),
        ("an old chef", one("male", "Asian"), "an old Asian male chef"),
        ("a 25-year-old chef", one("male", "Asian"), "a 25-year-old Asian male chef"),
        ("an Asian female doctor", one(age=MIDDLE), "a middle-aged Asian female doctor"),
        ("a police officer", one("male", "Asian", OLD), "an elderly Asian male police officer"),
        ("a student", one("male", "Asian", LifeStage.ADOLESCENCE), "a teenage Asian male student"),
        ("a person", one("female", "Asian", OLD), "an elderly Asian woman"),
        ("a person", one("male", "Black", LifeStage.CHILDHOOD), "a Black boy"),
        ("a person", one("female", age=LifeStage.ADOLESCENCE), "a teenage girl"),
        ("a person", one(race="Asian", age=OLD), "an elderly Asian person"),
        ("a person", one(age=LifeStage.CHILDHOOD), "a child"),
        ("a patient", one("male", "Asian", LifeStage.CHILDHOOD), "an Asian male child patient"),
        ("a king", one(race="Asian", age=YOUNG), "a young Asian king"),
        ("An old, bearded fisherman", one(race="Asian"), "An old, bearded Asian fisherman"),
        ("a doctor", one(), "a doctor"),
    ],
)
def test_one_person(prompt: str, draw: AttributeDraw, expected: str) -> None:
    assert merged(prompt, draw) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "two doctors talking",
            "two doctors, half men and half women, of a mix of ethnicities and ages, talking",
        ),
        ("young doctors", "young doctors, half men and half women, of a mix of ethnicities"),
        ("two old kings", "two old kings, of a mix of ethnicities"),
        (
            "A crowd of people, outside",
            "A crowd of people, half men and half women, of a mix of ethnicities and ages, outside",
        ),
        ("three kids", "three kids, half boys and half girls, of a mix of ethnicities"),
        ("Captain Ardo at the beach", "Captain Ardo at the beach"),
        ("a red bicycle", "a red bicycle"),
    ],
)
def test_groups_get_proportions_and_others_stay(prompt: str, expected: str) -> None:
    found = (
        verdict(prompt)
        if "Ardo" not in prompt
        else verdict(prompt, labels={Label.K0, Label.A1}, figures=("Captain Ardo",))
    )
    assert merge_picture(found, (), POLICY).prompt == expected


@pytest.mark.parametrize(
    ("prompt", "genders", "expected"),
    [
        ("five doctors", "mfmff", "five doctors, two men and three women"),
        ("2 doctors", "mf", "2 doctors, one man and one woman"),
        ("a pair of dancers on stage", "ff", "a pair of dancers, all women, on stage"),
        ("three kids", "fmf", "three kids, one boy and two girls"),
    ],
)
def test_a_group_of_known_number_is_counted(prompt: str, genders: str, expected: str) -> None:
    policy = Policy(diversify=frozenset({Attribute.GENDER}))
    draws = [one({"m": "male", "f": "female"}[gender]) for gender in genders]
    assert merged(prompt, *draws, policy=policy) == expected


def test_a_group_of_unknown_number_gets_the_shares_of_the_policy() -> None:
    policy = Policy.model_validate(
        {"diversify": ["gender"], "targets": {"gender": {"male": 30, "female": 70}}}
    )
    assert merged("doctors in a park", policy=policy) == (
        "doctors, 30% men and 70% women, in a park"
    )


@pytest.mark.parametrize("genders", ["", "m", "mfm"])
def test_a_counted_group_has_a_draw_for_each_of_its_people(genders: str) -> None:
    draws = [one("male") for _ in genders]
    if not draws:
        assert "half men" in merged("two doctors")
        return
    with pytest.raises(AlignmentError):
        merged("two doctors", *draws)


def test_several_clusters_are_all_merged() -> None:
    prompt = "a doctor and an old nurse meet two chefs"
    expected = (
        "an elderly Asian male doctor and an old Black female nurse meet two chefs, "
        "half men and half women, of a mix of ethnicities and ages"
    )
    draws = (one("male", "Asian", OLD), one("female", "Black", cluster=1))
    assert merged(prompt, *draws) == expected
    assert merged(prompt, *reversed(draws)) == expected


def test_only_attributes_of_the_policy_are_mixed() -> None:
    policy = Policy(diversify=frozenset({Attribute.GENDER}))
    assert merged("two doctors", policy=policy) == "two doctors, half men and half women"
    assert merged("two doctors", policy=Policy(diversify=frozenset())) == "two doctors"


def test_a_group_beside_sexual_content_is_of_adult_ages() -> None:
    prompt = "people at a party"
    found = verdict(prompt, labels={Label.K2}, factors={Factor.SEXUAL}, score=0.4)
    assert "of a mix of ethnicities and adult ages" in merge_picture(found, (), POLICY).prompt


@pytest.mark.parametrize(
    "draws",
    [
        (one("male", cluster=1),),
        (one("male"), one("female")),
        (one("male", "Asian"), one("male", cluster=7)),
    ],
)
def test_draws_that_fit_no_cluster_are_refused(draws: tuple[AttributeDraw, ...]) -> None:
    with pytest.raises(AlignmentError):
        merged("a doctor", *draws)


@pytest.mark.parametrize("prompt", ["a female doctor", "two doctors", "a king"])
def test_a_draw_never_contradicts_the_prompt(prompt: str) -> None:
    with pytest.raises(AlignmentError):
        merged(prompt, one("male"))


def test_clusters_of_another_aligner_are_merged_by_their_span_alone() -> None:
    prompt = "an oboist rests"
    cluster = PeopleCluster(
        kind="oboist",
        type=ClusterType.ONE,
        start=3,
        end=9,
        open_attributes=frozenset(Attribute),
        life_stages=(OLD, YOUNG),
    )
    found = verdict(prompt, clusters=(cluster,))
    result = merge_picture(found, (one("male", "White", YOUNG),), POLICY).prompt
    assert result == "a young White male oboist rests"


def test_clusters_that_overlap_or_hold_no_word_are_refused() -> None:
    cluster = PeopleCluster(
        kind="x", type=ClusterType.ONE, start=1, end=2, open_attributes=frozenset(Attribute)
    )
    for clusters in ((cluster,), (cluster, cluster)):
        with pytest.raises(AlignmentError):
            merge_picture(verdict("a , b", clusters=clusters), (one("male"),), POLICY)
