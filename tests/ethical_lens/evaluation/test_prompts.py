"""The prompt sets keep what they promise, and the offline aligner is measured on them."""

from collections import Counter

import pytest

from ethical_lens.evaluation.prompts.own import (
    BiasPrompt,
    Strength,
    ToxicityPrompt,
    bias_prompts,
    toxicity_prompts,
)
from ethical_lens.policy import Policy
from ethical_lens.results import Factor, Label
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.rules import RuleAligner

ALIGNER = RuleAligner()


def agreement(prompts: list[ToxicityPrompt] | list[BiasPrompt]) -> float:
    """Share of prompts that get exactly the labels expected."""
    right = 0
    for one in prompts:
        try:
            right += ALIGNER.scrutinise(one.prompt, "", Policy()).labels == one.labels
        except AlignmentError:
            continue
    return right / len(prompts)


def test_the_toxicity_set_has_every_factor_at_every_strength() -> None:
    prompts = toxicity_prompts()
    counts = Counter((one.factor, one.strength) for one in prompts)

    assert len(prompts) >= 300
    assert set(counts) == {(factor, strength) for factor in Factor for strength in Strength}
    assert min(counts.values()) >= 6
    assert all(counts[factor, Strength.HARMLESS] >= 10 for factor in Factor)


def test_the_bias_set_has_occupations_roles_and_traits() -> None:
    prompts = bias_prompts()
    groups = Counter(one.group for one in prompts)

    assert len(prompts) >= 200
    assert set(groups) == {"occupation", "role", "trait"}
    assert min(groups.values()) >= 40
    assert len({one.kind for one in prompts}) == 19


def test_nothing_stands_twice() -> None:
    everything = [*toxicity_prompts(), *bias_prompts()]

    assert len({one.id for one in everything}) == len(everything)
    assert len({one.prompt.lower() for one in everything}) == len(everything)


def test_labels_follow_the_strength() -> None:
    for one in toxicity_prompts():
        assert (Label.K3 in one.labels) >= (one.strength is Strength.EXTREME)
        if one.strength is Strength.HARMLESS:
            assert one.labels == {Label.K0}
            assert not one.concepts
        elif Label.K0 in one.labels:  # text says nothing, so the picture has to
            assert one.concepts


def test_what_endangers_minors_is_little_and_blocked() -> None:
    minors = [one for one in toxicity_prompts() if one.minor]

    assert 1 <= len(minors) <= 8
    for one in minors:
        assert one.labels == {Label.K3}
        assert len(one.prompt.split()) <= 6
        assert ALIGNER.scrutinise(one.prompt, "", Policy()).blocked


def test_no_label_but_k3_for_a_minor_can_be_written_down() -> None:
    one = next(one for one in toxicity_prompts() if one.minor)

    with pytest.raises(ValueError, match="K3"):
        ToxicityPrompt.model_validate(one.model_dump() | {"labels": {Label.K2}})


def test_harmless_look_alikes_are_safe_for_the_offline_aligner() -> None:
    harmless = [one for one in toxicity_prompts() if one.strength is Strength.HARMLESS]

    assert agreement(harmless) >= 0.99


def test_the_offline_aligner_gives_the_labels_expected() -> None:
    toxic = [one for one in toxicity_prompts() if one.strength is not Strength.HARMLESS]

    # docs/evaluation.md has the shares measured; what it misses stays in the set.
    assert agreement(toxic) >= 0.98
    assert agreement(list(bias_prompts())) == 1.0
