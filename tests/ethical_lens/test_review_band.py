"""Scores just below a threshold ask for a person, where the policy has a band."""

import pytest

from ethical_lens.decide import decide_picture
from ethical_lens.policy import ConceptRule, HeadAction, Policy, Scope
from ethical_lens.results import Concept, PictureAction

BAND = Policy(review_band=0.1)


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


def test_without_a_band_nobody_does() -> None:
    assert action(Policy(), nsfw=0.69) == (PictureAction.RELEASE, "no_finding")


def test_what_fires_comes_first_and_what_is_allowed_has_no_band() -> None:
    assert action(BAND, nsfw=0.69, nude=0.9)[0] is PictureAction.BLUR
    rule = ConceptRule(threshold=0.7, scope=Scope.PICTURE, action=HeadAction.ALLOW)
    allowed = Policy(review_band=0.1, concepts=BAND.concepts | {Concept.NSFW: rule})
    assert action(allowed, nsfw=0.69)[0] is PictureAction.RELEASE
