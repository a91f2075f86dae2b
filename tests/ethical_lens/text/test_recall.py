"""The offline rules on real prompts: what they flag of harmless ones, what they find of unsafe."""

import pytest

from benchmarks.text_filters.prompts import CATEGORIES, DATA, Prompts, labels
from ethical_lens.results import Label

UNSAFE = frozenset({Label.K1, Label.K2, Label.K3})


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    if not DATA.is_dir():
        pytest.skip(f"the prompts to measure on are not at {DATA}")
    return Prompts.load(DATA)


def test_at_most_one_caption_in_a_hundred_is_not_plainly_safe(prompts: Prompts) -> None:
    """A1 and what goes to a person count as false alarms here."""
    flagged = [found != {Label.K0} for found in labels(prompts.captions)]
    assert len(flagged) == 2000
    assert sum(flagged) / len(flagged) <= 0.01
    for half in (flagged[::2], flagged[1::2]):
        assert sum(half) / len(half) <= 0.01


def test_at_most_three_harmless_art_prompts_in_a_hundred_are_not_plainly_safe(
    prompts: Prompts,
) -> None:
    flagged = [found != {Label.K0} for found in labels(prompts.art)]
    assert sum(flagged) / len(flagged) <= 0.03


@pytest.mark.timeout(600)
def test_at_least_one_unsafe_prompt_in_five_is_found_in_every_category(prompts: Prompts) -> None:
    """Only K1 to K3 count, neither A1 nor what goes to a person."""
    found = [bool(one & UNSAFE) for one in labels([prompt for prompt, _ in prompts.unsafe])]
    assert sum(found) / len(found) >= 0.2
    for category in CATEGORIES:
        places = prompts.of(category)
        assert sum(found[place] for place in places) / len(places) >= 0.2, category
