"""The balanced draw of attributes: cards without replacement, reshuffled when they run out.

A deck is a value: a draw returns a new one and leaves the old as it was, so that decks can be
stored, replayed and never shared by accident (fault F8 of the reference).

A full hand holds each value once, or as often as the policy's fairness targets give it a share
(`Policy.cards`). A draw limited to some values takes the first allowed card and leaves the rest in
place; where no allowed card is left, the hand's cards of the allowed values are added. So, drawn
evenly, values that were always allowed together never differ by more than one in how often they
were drawn, and a deck never grows past its hand.

The people of a group whose number the prompt says ("five doctors") get a gender each from the same
deck; what else a group is open in is mixed in words.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

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
from ethical_lens.text.people import number_in

_DRAWN: Final[Mapping[ClusterType, frozenset[Attribute]]] = {
    ClusterType.NAMED: frozenset(),
    ClusterType.ONE: frozenset(Attribute),
    ClusterType.SEVERAL: frozenset({Attribute.GENDER}),
}


class Deck(Value):
    """The cards that remain for one kind of person. The default, empty, is a fresh deck."""

    gender: tuple[str, ...] = ()
    race: tuple[str, ...] = ()
    age: tuple[LifeStage, ...] = ()


def draw(
    deck: Deck,
    policy: Policy,
    cluster_index: int,
    cluster: PeopleCluster,
    factors: frozenset[Factor],
    rng: random.Random,
) -> tuple[AttributeDraw, Deck]:
    """Draw the open attributes of one person in one picture.

    Only attributes that `policy.to_draw` names; of a group only the gender.
    Ages come from `policy.life_stages_to_draw`, so none under 20 beside sexual content; where none
    is allowed, age is None. Takes time bounded by the pools.
    """
    drawn = _DRAWN[cluster.type] & policy.to_draw(cluster)
    gender = race = None
    age: LifeStage | None = None
    genders, races, ages = deck.gender, deck.race, deck.age
    if Attribute.GENDER in drawn:
        gender, genders = _take(genders, policy.cards(Attribute.GENDER), policy.pools.gender, rng)
    if Attribute.RACE in drawn:
        race, races = _take(races, policy.cards(Attribute.RACE), policy.pools.race, rng)
    if Attribute.AGE in drawn:
        allowed = policy.life_stages_to_draw(cluster.life_stages, factors)
        stages = policy.cards(Attribute.AGE)
        taken, left = _take(ages, stages, allowed, rng)
        age, ages = None if taken is None else LifeStage(taken), tuple(map(LifeStage, left))
    return (
        AttributeDraw(cluster=cluster_index, gender=gender, race=race, age=age),
        Deck(gender=genders, race=races, age=ages),
    )


def draw_pictures(
    decks: Mapping[str, Deck], verdict: TextVerdict, policy: Policy, count: int, rng: random.Random
) -> tuple[tuple[tuple[AttributeDraw, ...], ...], dict[str, Deck]]:
    """Draws for `count` pictures of one prompt: in each, one per cluster of type ONE and one per
    person of a group whose number is known.

    `decks` by kind of person; a missing kind starts fresh. Returns draws per picture (empty where
    there is nobody to draw for, so that there are always `count`) and all decks as they are now.
    """
    current = dict(decks)
    pictures: list[tuple[AttributeDraw, ...]] = []
    for _ in range(count):
        drawn: list[AttributeDraw] = []
        for index, cluster in enumerate(verdict.clusters):
            for _ in range(_people_to_draw(cluster, verdict, policy)):
                deck = current.get(cluster.kind, Deck())
                one, deck = draw(deck, policy, index, cluster, verdict.factors, rng)
                current[cluster.kind] = deck
                drawn.append(one)
        pictures.append(tuple(drawn))
    return tuple(pictures), current


def kinds_to_draw(verdict: TextVerdict, policy: Policy) -> frozenset[str]:
    """The kinds of people whose decks `draw_pictures` needs."""
    return frozenset(c.kind for c in verdict.clusters if _people_to_draw(c, verdict, policy))


def _people_to_draw(cluster: PeopleCluster, verdict: TextVerdict, policy: Policy) -> int:
    if cluster.type is ClusterType.ONE:
        return 1
    if not _DRAWN[cluster.type] & policy.to_draw(cluster):
        return 0
    return number_in(verdict.prompt[cluster.start : cluster.end]) or 0


def _take(
    cards: Sequence[str], hand: Sequence[str], allowed: Sequence[str], rng: random.Random
) -> tuple[str | None, tuple[str, ...]]:
    """The first allowed card, and the cards left. Cards of no hand any more are thrown away."""
    cards = [card for card in cards if card in hand]
    wanted = [card for card in hand if card in allowed]
    if not wanted:
        return None, tuple(cards)
    if not any(card in wanted for card in cards):
        cards += rng.sample(wanted, len(wanted))
    chosen = next(i for i, card in enumerate(cards) if card in wanted)
    return cards[chosen], tuple(cards[:chosen] + cards[chosen + 1 :])
