"""A new wording after a toxic picture."""

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Concept, Label
from ethical_lens.text.aligner import AlignmentError, UnreadablePrompt
from ethical_lens.text.rules import RuleAligner

POLICY = Policy()
RULES = RuleAligner()
PROMPTS = [
    "a lighthouse on a cliff at sunset",
    "A woman on the beach in a bikini.",
    "Captain Ardo holding a flag",
    "a priest in a church",
    "close up portrait of a famous actor",
    "a naked woman",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("concept", list(Concept))
def test_the_new_wording_differs_is_safe_and_is_the_same_every_time(
    prompt: str, concept: Concept
) -> None:
    revised = RULES.revise(prompt, frozenset({concept}), POLICY)
    assert revised != prompt
    assert revised == RULES.revise(prompt, frozenset({concept}), POLICY)
    assert RULES.scrutinise(revised, "", POLICY).toxicity is Label.K0


@pytest.mark.parametrize(
    ("prompt", "concepts", "expected"),
    [
        (
            "a woman on the beach in a bikini",
            {Concept.NUDE},
            "a woman on the beach in a summer outfit, fully clothed",
        ),
        (
            "a soldier with a gun.",
            {Concept.NSFW},
            "a soldier with an umbrella, fully clothed in a calm, peaceful scene",
        ),
        (
            "a rally with flags",
            {Concept.POLITIC},
            "a gathering with curtains, in a plain everyday setting",
        ),
        (
            "Captain Ardo holding a flag",
            {Concept.POLITIC},
            "Captain Ardo holding a curtain, in a plain everyday setting",
        ),
        ("a cliff at sunset", {Concept.NSFW}, "a cliff at sunset, in a calm, peaceful mood"),
        ("blood oranges", {Concept.NSFW}, "red oranges, in a calm, peaceful mood"),
        ("a shooting star", {Concept.NSFW}, "a bright star, in a calm, peaceful mood"),
        (
            "a birthday party",
            {Concept.POLITIC},
            "a birthday celebration, in a plain everyday setting",
        ),
        (
            "a shrine in a forest",
            {Concept.CULTURE},
            "a hut in a forest, in a neutral everyday setting",
        ),
    ],
)
def test_wordings(prompt: str, concepts: set[Concept], expected: str) -> None:
    assert RULES.revise(prompt, frozenset(concepts), POLICY) == expected


def test_all_concepts_at_once_are_all_answered() -> None:
    revised = RULES.revise("a priest with a gun and a flag", frozenset(Concept), POLICY)
    assert not {"priest", "gun", "flag"} & set(revised.split())


def test_a_second_time_gives_another_wording_and_then_none() -> None:
    first = RULES.revise("a woman in a park", frozenset({Concept.NUDE}), POLICY)
    second = RULES.revise(first, frozenset({Concept.NUDE}), POLICY)
    assert len({"a woman in a park", first, second}) == 3
    with pytest.raises(AlignmentError):
        RULES.revise(second, frozenset({Concept.NUDE}), POLICY)


def test_in_a_long_prompt_the_addition_comes_first() -> None:
    prompt = "a woman in a park, " + ", ".join(["with a red kite"] * 15)
    assert RULES.revise(prompt, frozenset({Concept.NUDE}), POLICY).startswith("fully clothed, a")


def test_no_wording_raises() -> None:
    for prompt, concepts in [
        ("a cat", frozenset[Concept]()),
        ("a school shooting", frozenset({Concept.NSFW})),
        ("naked", frozenset({Concept.NUDE})),
    ]:
        with pytest.raises(AlignmentError):
            RULES.revise(prompt, concepts, POLICY)
    with pytest.raises(UnreadablePrompt):
        RULES.revise("裸の女性", frozenset({Concept.NUDE}), POLICY)
