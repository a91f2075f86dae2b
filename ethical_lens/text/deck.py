"""The balanced draw of attributes: cards without replacement, reshuffled when they run out.

A deck is a value: a draw returns a new one and leaves the old as it was, so that decks can be
stored, replayed and never shared by accident (fault F8 of the reference).

Each attribute's remaining cards hold a value at most once. A draw limited to some values takes the
first allowed card and leaves the rest in place; where no allowed card is left, one card of each
allowed value is added. So values that were always allowed together never differ by more than one
in how often they were drawn, and a deck never grows past its pool.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Self, TypeVar

from pydantic import model_validator

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Attribute,
    AttributeDraw,
    ClusterType,
    Factor,
    LifeStage,
    PeopleCluster,
    TextVerdict,
    Value,
)

Card = TypeVar("Card", bound=str)


class Deck(Value):
    """The cards that remain for one kind of person. The default, empty, is a fresh deck."""

    gender: tuple[str, ...] = ()
    race: tuple[str, ...] = ()
    age: tuple[LifeStage, ...] = ()

    @model_validator(mode="after")
    def _no_card_twice(self) -> Self:
        for name in ("gender", "race", "age"):
            cards = getattr(self, name)
            if len(set(cards)) != len(cards):
                raise ValueError(f"{name}: a card stands twice")
        return self


def draw(
    deck: Deck,
    policy: Policy,
    cluster_index: int,
    cluster: PeopleCluster,
    factors: frozenset[Factor],
    rng: random.Random,
) -> tuple[AttributeDraw, Deck]:
    """Draw the open attributes of one person in one picture.

    Only a cluster of type ONE is given anything, and only attributes that are open and that
    `policy.diversify` names. Ages come from `policy.life_stages_to_draw`, so none under 20 beside
    sexual content; where none is allowed, age is None. Takes time bounded by the pools.
    """
    wanted = (
        cluster.open_attributes & policy.diversify
        if cluster.type is ClusterType.ONE
        else frozenset[Attribute]()
    )
    gender = race = None
    age: LifeStage | None = None
    genders, races, ages = deck.gender, deck.race, deck.age
    if Attribute.GENDER in wanted:
        gender, genders = _take(genders, policy.pools.gender, policy.pools.gender, rng)
    if Attribute.RACE in wanted:
        race, races = _take(races, policy.pools.race, policy.pools.race, rng)
    if Attribute.AGE in wanted:
        allowed = policy.life_stages_to_draw(cluster.life_stages, factors)
        age, ages = _take(ages, policy.pools.age, allowed, rng)
    return (
        AttributeDraw(cluster=cluster_index, gender=gender, race=race, age=age),
        Deck(gender=genders, race=races, age=ages),
    )


def draw_pictures(
    decks: Mapping[str, Deck], verdict: TextVerdict, policy: Policy, count: int, rng: random.Random
) -> tuple[tuple[tuple[AttributeDraw, ...], ...], dict[str, Deck]]:
    """Draws for `count` pictures of one prompt, one per cluster of type ONE in each.

    `decks` by kind of person; a missing kind starts fresh. Returns draws per picture (empty where
    there is nobody to draw for, so that there are always `count`) and all decks as they are now.
    """
    current = dict(decks)
    pictures: list[tuple[AttributeDraw, ...]] = []
    for _ in range(count):
        drawn: list[AttributeDraw] = []
        for index, cluster in enumerate(verdict.clusters):
            if cluster.type is not ClusterType.ONE:
                continue
            deck = current.get(cluster.kind, Deck())
            one, current[cluster.kind] = draw(deck, policy, index, cluster, verdict.factors, rng)
            drawn.append(one)
        pictures.append(tuple(drawn))
    return tuple(pictures), current


def _take(
    cards: Sequence[Card], pool: Sequence[Card], allowed: Sequence[Card], rng: random.Random
) -> tuple[Card | None, tuple[Card, ...]]:
    """The first allowed card, and the cards left. Cards of no pool any more are thrown away."""
    cards = [card for card in cards if card in pool]
    allowed = [card for card in pool if card in allowed]
    if not allowed:
        return None, tuple(cards)
    if not any(card in allowed for card in cards):
        cards += rng.sample(allowed, len(allowed))
    chosen = next(card for card in cards if card in allowed)
    return chosen, tuple(card for card in cards if card != chosen)
