"""The balanced draw (fault F8) and what it never gives beside sexual content (fault F19)."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethical_lens.policy import AttributePools, Policy
from ethical_lens.results import (
    Attribute,
    ClusterType,
    Factor,
    Label,
    LifeStage,
    PeopleCluster,
    TextVerdict,
)
from ethical_lens.text.deck import Deck, draw, draw_pictures
from ethical_lens.text.people import find_clusters

POLICY = Policy()
STAGES = tuple(LifeStage)
NO_FACTORS: frozenset[Factor] = frozenset()
SEXUAL = frozenset({Factor.SEXUAL})


def somebody(
    stages: tuple[LifeStage, ...] = STAGES,
    open_attributes: frozenset[Attribute] = frozenset(Attribute),
    type: ClusterType = ClusterType.ONE,
) -> PeopleCluster:
    return PeopleCluster(
        kind="person",
        type=type,
        start=0,
        end=1,
        open_attributes=open_attributes,
        life_stages=stages,
    )


def spread(counts: Counter[object], values: tuple[object, ...]) -> int:
    numbers = [counts[value] for value in values]
    return max(numbers) - min(numbers)


@given(st.integers(0, 60), st.integers(0, 2**32))
def test_any_number_of_draws_is_balanced_within_one(count: int, seed: int) -> None:
    deck, rng = Deck(), random.Random(seed)
    counts: Counter[object] = Counter()
    for _ in range(count):
        one, deck = draw(deck, POLICY, 0, somebody(), NO_FACTORS, rng)
        counts.update((one.gender, one.race, one.age))
    assert spread(counts, POLICY.pools.gender) <= 1
    assert spread(counts, POLICY.pools.race) <= 1
    assert spread(counts, POLICY.pools.age) <= 1
    assert sum(counts.values()) == 3 * count


@given(
    st.lists(st.tuples(st.lists(st.sampled_from(STAGES), unique=True), st.booleans()), max_size=60),
    st.integers(0, 2**32),
)
def test_limited_and_free_draws_in_any_order_stay_balanced(
    steps: list[tuple[list[LifeStage], bool]], seed: int
) -> None:
    deck, rng = Deck(), random.Random(seed)
    counts: Counter[object] = Counter()
    allowed_when: dict[LifeStage, list[int]] = {stage: [] for stage in STAGES}
    for step, (stages, sexual) in enumerate(steps):
        factors = SEXUAL if sexual else NO_FACTORS
        allowed = POLICY.life_stages_to_draw(tuple(stages), factors)
        before = deck.model_copy()
        one, after = draw(deck, POLICY, 0, somebody(tuple(stages)), factors, rng)
        assert deck == before, "a draw changed the deck it was made from"
        assert one.age in allowed if allowed else one.age is None
        kept = [card for card in deck.age if card != one.age]
        assert list(after.age)[: len(kept)] == kept, "other cards did not stay in place"
        assert len(after.age) <= len(STAGES)
        counts[one.age] += 1
        for stage in allowed:
            allowed_when[stage].append(step)
        deck = after
    alike: dict[tuple[int, ...], list[LifeStage]] = {}
    for stage, when in allowed_when.items():
        alike.setdefault(tuple(when), []).append(stage)
    for group in alike.values():
        assert spread(counts, tuple(group)) <= 1


def test_after_limited_draws_free_ones_are_not_skewed() -> None:
    """The reference gave adolescents in 3000 of 3000 runs after one such prompt."""
    deck, rng = Deck(), random.Random(7)
    for _ in range(50):
        only = somebody((LifeStage.ADOLESCENCE,))
        one, deck = draw(deck, POLICY, 0, only, NO_FACTORS, rng)
        assert one.age is LifeStage.ADOLESCENCE
    counts: Counter[object] = Counter()
    for _ in range(3000):
        one, deck = draw(deck, POLICY, 0, somebody(), NO_FACTORS, rng)
        counts[one.age] += 1
    assert spread(counts, STAGES) <= 2
    assert counts[LifeStage.ADOLESCENCE] <= 501


@pytest.mark.parametrize("pools", [("male",), ("male", "female")])
def test_tiny_pools_end_and_repeat(pools: tuple[str, ...]) -> None:
    policy = Policy(pools=AttributePools(gender=pools, race=("Asian",), age=(LifeStage.OLD_AGE,)))
    deck, rng = Deck(), random.Random(1)
    for _ in range(100):
        one, deck = draw(deck, policy, 0, somebody(), NO_FACTORS, rng)
        assert one.gender in pools
        assert (one.race, one.age) == ("Asian", LifeStage.OLD_AGE)


def test_nothing_allowed_draws_no_age_and_ends() -> None:
    deck = Deck(age=(LifeStage.CHILDHOOD, LifeStage.OLD_AGE))
    for stages in ((), (LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE)):
        one, after = draw(deck, POLICY, 0, somebody(stages), SEXUAL, random.Random(1))
        assert one.age is None
        assert one.gender is not None
        assert after.age == deck.age


@given(st.integers(0, 2**32))
def test_beside_sexual_content_nobody_under_twenty_is_ever_drawn(seed: int) -> None:
    rng = random.Random(seed)
    deck = Deck(age=(LifeStage.INFANCY, LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE))
    for _ in range(12):
        one, deck = draw(deck, POLICY, 0, somebody(), SEXUAL, rng)
        assert one.age is not None
        assert not one.age.under_twenty


def test_nobody_of_name_is_drawn_for() -> None:
    cluster = somebody(type=ClusterType.NAMED, open_attributes=frozenset())
    one, deck = draw(Deck(), POLICY, 3, cluster, NO_FACTORS, random.Random(1))
    assert one.model_dump(exclude_none=True) == {"cluster": 3}
    assert deck == Deck()


def test_the_people_of_a_group_get_a_gender_each_where_their_number_is_known() -> None:
    counts: Counter[str | None] = Counter()
    decks: dict[str, Deck] = {}
    for seed in range(7):
        (picture,), decks = draw_pictures(
            decks, verdict("five doctors and a crowd of students"), POLICY, 1, random.Random(seed)
        )
        assert [one.cluster for one in picture] == [0] * 5
        assert {(one.race, one.age) for one in picture} == {(None, None)}
        here = Counter(one.gender for one in picture)
        assert sorted(here.values()) == [2, 3]
        counts += here
    assert spread(counts, POLICY.pools.gender) <= 1


def test_given_shares_are_reached_and_hold_among_what_is_plausible() -> None:
    targets = {
        "gender": {"male": 25, "female": 75},
        "age": {"infancy": 10, "childhood": 10, "adolescence": 10, "young adulthood": 10,
                "middle age": 20, "old age": 40},
    }  # fmt: skip
    policy = Policy.model_validate({"targets": targets})
    deck, rng = Deck(), random.Random(4)
    genders, ages = Counter[str | None](), Counter[LifeStage | None]()
    working = somebody((LifeStage.YOUNG_ADULTHOOD, LifeStage.MIDDLE_AGE, LifeStage.OLD_AGE))
    for _ in range(280):
        one, deck = draw(deck, policy, 0, working, NO_FACTORS, rng)
        genders[one.gender] += 1
        ages[one.age] += 1
        assert len(deck.gender) <= 4
    assert genders == {"male": 70, "female": 210}
    assert ages == {
        LifeStage.YOUNG_ADULTHOOD: 40, LifeStage.MIDDLE_AGE: 80, LifeStage.OLD_AGE: 160
    }  # fmt: skip


def test_only_what_is_open_and_wanted_is_drawn() -> None:
    policy = Policy(diversify=frozenset({Attribute.GENDER, Attribute.RACE}))
    cluster = somebody(open_attributes=frozenset({Attribute.GENDER, Attribute.AGE}))
    one, deck = draw(Deck(), policy, 0, cluster, NO_FACTORS, random.Random(1))
    assert one.gender is not None
    assert one.race is None
    assert one.age is None
    assert deck.race == deck.age == ()


def test_the_same_seed_gives_the_same_draw_and_global_randomness_is_untouched() -> None:
    random.seed(5)
    state = random.getstate()
    first = draw(Deck(), POLICY, 0, somebody(), NO_FACTORS, random.Random(9))
    second = draw(Deck(), POLICY, 0, somebody(), NO_FACTORS, random.Random(9))
    assert first == second
    assert random.getstate() == state


def test_a_deck_goes_to_json_and_back() -> None:
    _, deck = draw(Deck(), POLICY, 0, somebody(), NO_FACTORS, random.Random(2))
    assert Deck.model_validate(deck.model_dump(mode="json")) == deck


def test_cards_of_an_older_pool_are_not_drawn() -> None:
    deck = Deck(race=("Martian",))
    one, after = draw(deck, POLICY, 0, somebody(), NO_FACTORS, random.Random(2))
    assert one.race in POLICY.pools.race
    assert "Martian" not in after.race


def verdict(prompt: str) -> TextVerdict:
    return TextVerdict(
        labels=frozenset({Label.K0}),
        score=0.0,
        explanation="Safe.",
        prompt=prompt,
        clusters=find_clusters(prompt),
    )


def test_each_picture_and_each_kind_has_its_own_draw() -> None:
    prompt = "a doctor and a nurse with children"
    given_decks = {"doctor": Deck(gender=("female",))}
    pictures, decks = draw_pictures(given_decks, verdict(prompt), POLICY, 10, random.Random(3))
    assert len(pictures) == 10
    assert pictures[0][0].gender == "female"
    assert given_decks == {"doctor": Deck(gender=("female",))}
    assert set(decks) == {"doctor", "nurse"}
    nurses = Counter(picture[1].race for picture in pictures)
    assert spread(Counter(nurses), POLICY.pools.race) == 0


def test_a_prompt_without_people_still_has_a_place_for_every_picture() -> None:
    pictures, decks = draw_pictures({}, verdict("a red bicycle"), POLICY, 4, random.Random(3))
    assert pictures == ((), (), (), ())
    assert decks == {}
