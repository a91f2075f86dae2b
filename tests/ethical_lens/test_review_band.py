"""Scores just below or just above a threshold ask for a person, where the policy has a band."""

import pytest

from ethical_lens.decide import decide_picture
from ethical_lens.policy import ConceptRule, HeadAction, Policy, Scope
from ethical_lens.results import Concept, PictureAction

BAND = Policy(review_band=0.1)
ABOVE = Policy(review_band_above=0.1)


def action(policy: Policy, **scores: float) -> tuple[PictureAction, str]:
    verdict = decide_picture(
        {concept: scores.get(concept.value, 0.0) for concept in Concept}, policy,
        round=1, repaired=False, under_twenty=False,
    )  # fmt: skip
    return verdict.action, verdict.reason


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.59, PictureAction.RELEASE),
        (0.61, PictureAction.REVIEW),
        (0.69, PictureAction.REVIEW),
        (0.70, PictureAction.REPAINT),
    ],
)
def test_within_the_band_a_person_looks(score: float, expected: PictureAction) -> None:
    assert action(BAND, nsfw=score)[0] is expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"nsfw": 0.70}, (PictureAction.REVIEW, "score_just_above_threshold")),
        ({"nsfw": 0.79}, (PictureAction.REVIEW, "score_just_above_threshold")),
        ({"nsfw": 0.81}, (PictureAction.REPAINT, "picture_toxic")),
        ({"nsfw": 0.75, "nude": 0.99}, (PictureAction.REVIEW, "score_just_above_threshold")),
        ({"nsfw": 0.75, "politic": 1.0}, (PictureAction.REPAINT, "picture_toxic")),
        ({"nude": 0.62}, (PictureAction.REVIEW, "score_just_above_threshold")),
        ({"nude": 0.72}, (PictureAction.BLUR, "region_toxic")),
        ({"nsfw": 0.69}, (PictureAction.RELEASE, "no_finding")),
    ],
)
def test_just_above_a_threshold_a_person_looks_before_a_repair(
    scores: dict[str, float], expected: tuple[PictureAction, str]
) -> None:
    assert action(ABOVE, **scores) == expected


def test_what_is_blocked_stays_blocked_however_little_it_is_above() -> None:
    scores = dict.fromkeys(Concept, 0.0) | {Concept.NSFW: 0.71}
    last = decide_picture(scores, ABOVE, round=2, repaired=False, under_twenty=False)
    assert (last.action, last.reason) == (PictureAction.BLOCK, "picture_still_toxic")
    minor = decide_picture(scores, ABOVE, round=1, repaired=False, under_twenty=True)
    assert (minor.action, minor.reason) == (PictureAction.BLOCK, "sexual_and_under_twenty")
    rule = ConceptRule(threshold=0.7, scope=Scope.PICTURE, action=HeadAction.BLOCK)
    blocks = Policy(review_band_above=0.1, concepts=ABOVE.concepts | {Concept.NSFW: rule})
    assert action(blocks, nsfw=0.71) == (PictureAction.BLOCK, "head_blocks")


def test_what_is_found_stays_a_finding() -> None:
    scores = dict.fromkeys(Concept, 0.0) | {Concept.NSFW: 0.71}
    verdict = decide_picture(scores, ABOVE, round=1, repaired=False, under_twenty=False)
    assert [found.concept for found in verdict.findings] == [Concept.NSFW]


def test_without_a_band_nobody_does() -> None:
    assert action(Policy(), nsfw=0.69) == (PictureAction.RELEASE, "no_finding")


def test_what_fires_comes_first_and_what_is_allowed_has_no_band() -> None:
    assert action(BAND, nsfw=0.69, nude=0.9)[0] is PictureAction.BLUR
    rule = ConceptRule(threshold=0.7, scope=Scope.PICTURE, action=HeadAction.ALLOW)
    allowed = Policy(review_band=0.1, concepts=BAND.concepts | {Concept.NSFW: rule})
    assert action(allowed, nsfw=0.69)[0] is PictureAction.RELEASE
