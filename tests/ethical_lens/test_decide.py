"""The pure decision, over every set of heads that can fire."""

import itertools
import math

import pytest

from ethical_lens.decide import decide_picture, decide_sent, faces_matter
from ethical_lens.policy import (
    DEFAULT_CONCEPTS,
    OUT_OF_REACH,
    ConceptRule,
    HeadAction,
    Policy,
    Scope,
)
from ethical_lens.results import (
    Attribute,
    Concept,
    LifeStage,
    PictureAction,
    PictureVerdict,
    ReadFace,
)

POLICY = Policy()
NEVER = Policy(
    concepts={
        concept: ConceptRule(threshold=OUT_OF_REACH, scope=rule.scope)
        for concept, rule in DEFAULT_CONCEPTS.items()
    }
)
WHOLE = {Concept.NSFW, Concept.POLITIC, Concept.CULTURE}
SEXUAL = {Concept.NSFW, Concept.NUDE}
EVERY_SET = [
    frozenset(fired)
    for size in range(len(Concept) + 1)
    for fired in itertools.combinations(Concept, size)
]


def scores(fired: frozenset[Concept] = frozenset()) -> dict[Concept, float]:
    """Scores that fire exactly the heads in `fired`."""
    return {concept: 0.95 if concept in fired else 0.1 for concept in Concept}


def decide(
    found: dict[Concept, float],
    *,
    policy: Policy = POLICY,
    round: int = 1,
    repaired: bool = False,
    under_twenty: bool = False,
) -> PictureVerdict:
    return decide_picture(found, policy, round=round, repaired=repaired, under_twenty=under_twenty)


@pytest.mark.parametrize("fired", EVERY_SET, ids=lambda fired: "+".join(sorted(fired)) or "none")
@pytest.mark.parametrize("round", [1, 2])
@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("under_twenty", [False, True])
def test_every_set_of_heads(
    fired: frozenset[Concept], round: int, repaired: bool, under_twenty: bool
) -> None:
    verdict = decide(scores(fired), round=round, repaired=repaired, under_twenty=under_twenty)

    assert verdict.concepts == fired
    if under_twenty and fired & SEXUAL:
        expected = (PictureAction.BLOCK, "sexual_and_under_twenty")
    elif fired & WHOLE:
        expected = (
            (PictureAction.REPAINT, "picture_toxic")
            if round == 1
            else (PictureAction.BLOCK, "picture_still_toxic")
        )
    elif fired:
        expected = (
            (PictureAction.BLOCK, "region_still_toxic")
            if repaired
            else (PictureAction.BLUR, "region_toxic")
        )
    else:
        expected = (PictureAction.RELEASE, "no_finding")
    assert (verdict.action, verdict.reason) == expected


@pytest.mark.parametrize("pair", list(itertools.combinations(Concept, 2)), ids="+".join)
def test_both_of_a_pair_are_kept_with_their_scores(pair: tuple[Concept, Concept]) -> None:
    found = scores(frozenset(pair)) | {pair[0]: 0.91, pair[1]: 0.99}

    verdict = decide(found)

    assert {f.concept: f.score for f in verdict.findings} == {pair[0]: 0.91, pair[1]: 0.99}
    assert verdict.action is not PictureAction.RELEASE
    assert all(concept.value in verdict.explanation for concept in verdict.concepts & WHOLE)


@pytest.mark.parametrize("concept", Concept)
def test_a_threshold_is_inclusive(concept: Concept) -> None:
    threshold = POLICY.concepts[concept].threshold

    at = decide(scores() | {concept: threshold})
    below = decide(scores() | {concept: math.nextafter(threshold, 0)})

    assert at.concepts == {concept}
    assert [f.threshold for f in at.findings] == [threshold]
    assert below.action is PictureAction.RELEASE


@pytest.mark.parametrize("concept", Concept)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.01, 1.01])
@pytest.mark.parametrize("others", [frozenset(), frozenset(Concept)], ids=["quiet", "firing"])
def test_an_unreadable_score_goes_to_review(
    concept: Concept, bad: float, others: frozenset[Concept]
) -> None:
    verdict = decide(scores(others) | {concept: bad}, policy=NEVER)

    assert (verdict.action, verdict.reason) == (PictureAction.REVIEW, "scores_unreadable")
    assert verdict.scores == {}
    assert concept.value in verdict.explanation


@pytest.mark.parametrize("concept", Concept)
def test_a_missing_score_goes_to_review(concept: Concept) -> None:
    found = scores()
    del found[concept]

    assert decide(found).action is PictureAction.REVIEW


def test_no_scores_at_all_go_to_review() -> None:
    assert decide({}).action is PictureAction.REVIEW


def test_one_round_means_no_repaint() -> None:
    verdict = decide(scores(frozenset({Concept.NSFW})), policy=Policy(rounds=1))

    assert (verdict.action, verdict.reason) == (PictureAction.BLOCK, "picture_still_toxic")


def test_under_twenty_is_blocked_where_a_policy_calls_nsfw_a_region() -> None:
    region = ConceptRule(threshold=0.7, scope=Scope.REGION)
    policy = Policy(concepts=DEFAULT_CONCEPTS | {Concept.NSFW: region})
    found = scores(frozenset({Concept.NSFW}))

    assert decide(found, policy=policy).action is PictureAction.BLUR
    assert decide(found, policy=policy, under_twenty=True).action is PictureAction.BLOCK


def test_no_score_reaches_a_threshold_out_of_reach() -> None:
    verdict = decide(dict.fromkeys(Concept, 1.0), policy=NEVER, under_twenty=False)

    assert verdict.action is PictureAction.RELEASE


def acting(**actions: HeadAction) -> Policy:
    """The published policy with other actions of some heads."""
    changed = {
        Concept(name): DEFAULT_CONCEPTS[Concept(name)].model_copy(update={"action": action})
        for name, action in actions.items()
    }
    return Policy(concepts=DEFAULT_CONCEPTS | changed)


@pytest.mark.parametrize(
    ("action", "first", "last", "repaired"),
    [
        (HeadAction.ALLOW, "release", "release", "release"),
        (HeadAction.BLUR, "blur", "blur", "block"),
        (HeadAction.REPAINT, "repaint", "block", "repaint"),
        (HeadAction.REVIEW, "review", "review", "review"),
        (HeadAction.BLOCK, "block", "block", "block"),
    ],
)
@pytest.mark.parametrize("concept", Concept)
def test_each_head_does_what_the_policy_says(
    concept: Concept, action: HeadAction, first: str, last: str, repaired: str
) -> None:
    policy, found = acting(**{concept.value: action}), scores(frozenset({concept}))

    assert decide(found, policy=policy).action == first
    assert decide(found, policy=policy, round=2).action == last
    assert decide(found, policy=policy, repaired=True).action == repaired


@pytest.mark.parametrize("pair", list(itertools.product(HeadAction, repeat=2)), ids=str)
def test_of_two_heads_the_stricter_action_is_taken(pair: tuple[HeadAction, HeadAction]) -> None:
    policy = acting(politic=pair[0], culture=pair[1])

    verdict = decide(scores(frozenset({Concept.POLITIC, Concept.CULTURE})), policy=policy)

    strictest = next(
        name for name in ("block", "review", "repaint", "blur", "allow") if name in pair
    )
    assert verdict.action == ("release" if strictest == "allow" else strictest)


def test_what_is_allowed_is_recorded_and_no_finding() -> None:
    verdict = decide(scores(frozenset({Concept.CULTURE})), policy=acting(culture=HeadAction.ALLOW))

    assert (verdict.action, verdict.findings) == (PictureAction.RELEASE, ())
    assert verdict.scores[Concept.CULTURE] == 0.95


@pytest.mark.parametrize("concept", sorted(SEXUAL))
@pytest.mark.parametrize("action", HeadAction)
def test_no_action_of_a_policy_lets_anything_sexual_meet_a_minor(
    concept: Concept, action: HeadAction
) -> None:
    policy, found = acting(**{concept.value: action}), scores(frozenset({concept}))

    verdict = decide(found, policy=policy, under_twenty=True)

    assert (verdict.action, verdict.reason) == (PictureAction.BLOCK, "sexual_and_under_twenty")
    assert verdict.concepts == {concept}
    assert faces_matter(found, policy), "faces are read although the head is allowed"


@pytest.mark.parametrize("concept", sorted(SEXUAL))
@pytest.mark.parametrize("threshold", [0.99, 1.0, OUT_OF_REACH])
def test_no_threshold_of_a_policy_lets_anything_sexual_meet_a_minor(
    concept: Concept, threshold: float
) -> None:
    usual = DEFAULT_CONCEPTS[concept].threshold
    rule = DEFAULT_CONCEPTS[concept].model_copy(update={"threshold": threshold})
    policy = Policy(concepts={**DEFAULT_CONCEPTS, concept: rule})
    at, below = scores() | {concept: usual}, scores() | {concept: usual - 0.01}

    verdict = decide(at, policy=policy, under_twenty=True)

    assert (verdict.action, verdict.reason) == (PictureAction.BLOCK, "sexual_and_under_twenty")
    (finding,) = verdict.findings
    assert (finding.concept, finding.threshold) == (concept, usual)
    assert faces_matter(at, policy), "a face may say so"
    assert not faces_matter(below, policy)
    assert decide(below, policy=policy, under_twenty=True).action is PictureAction.RELEASE
    assert decide(at, policy=policy, under_twenty=False).action is PictureAction.RELEASE


ALL = [frozenset(some) for n in range(6) for some in itertools.combinations(Concept, n)]


def face(*, under_twenty: bool) -> ReadFace:
    return ReadFace(
        box=(0, 0, 9, 9), score=0.9, gender="male", race="White", stage=LifeStage.MIDDLE_AGE,
        certainty=dict.fromkeys(Attribute, 0.9), under_twenty=under_twenty,
    )  # fmt: skip


@pytest.mark.parametrize("fired", ALL, ids=lambda fired: "+".join(sorted(fired)) or "none")
@pytest.mark.parametrize("rounds", [1, 2])
def test_whatever_fires_in_a_sent_picture_blocks_it(fired: frozenset[Concept], rounds: int) -> None:
    policy = Policy(rounds=rounds)
    verdict = decide_sent(scores(fired), policy, under_twenty=False, sexual=False)
    assert verdict.concepts == fired
    assert verdict.action is (PictureAction.BLOCK if fired else PictureAction.RELEASE)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.1])
def test_a_sent_picture_without_scores_has_no_verdict(value: float) -> None:
    found = scores() | {Concept.PUBLIC: value}
    verdict = decide_sent(found, Policy(), under_twenty=False, sexual=True)
    assert (verdict.action, verdict.reason) == (PictureAction.REVIEW, "scores_unreadable")


@pytest.mark.parametrize("sexual", [False, True])
@pytest.mark.parametrize("young", [False, True])
def test_a_sexual_text_never_meets_a_face_under_twenty(sexual: bool, young: bool) -> None:
    faces = [face(under_twenty=False), face(under_twenty=young)]
    verdict = decide_sent(scores(), Policy(), under_twenty=False, sexual=sexual, faces=faces)
    blocked = sexual and young
    assert verdict.action is (PictureAction.BLOCK if blocked else PictureAction.RELEASE)
    assert verdict.reason == ("sexual_and_under_twenty" if blocked else "no_finding")
