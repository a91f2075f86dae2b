"""What each arm would paint, before anything is: no models are loaded here."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from ethical_lens.evaluation.arms import (
    Parts,
    Planned,
    SuitePrompt,
    lens_of,
    may_be_painted,
    plan,
)
from ethical_lens.evaluation.prompts.own import bias_prompts, toxicity_prompts
from ethical_lens.evaluation.prompts.sampling import subset
from ethical_lens.evaluation.records import Arm
from ethical_lens.policy import Policy
from ethical_lens.results import Label, TextAction
from ethical_lens.text.aligner import PromptAligner
from ethical_lens.text.rules import RuleAligner

NO_PARTS = Parts(*(cast(Any, None) for _ in range(5)))
TOXICITY = toxicity_prompts()
ARMS = (Arm.BASE, Arm.ALIGNED, Arm.NO_TEXT, Arm.NO_IMAGE)
"""Those that need no settings and no editor."""


def planned(arm: Arm, prompts: Sequence[SuitePrompt] = TOXICITY, count: int = 1) -> list[Planned]:
    lens = lens_of(arm, NO_PARTS, Policy(), seed=3)
    return plan(arm, lens, "some", list(enumerate(prompts)), count=count, seed=100)


@pytest.mark.parametrize("arm", [Arm.BASE, Arm.NO_TEXT, Arm.API])
def test_no_k3_is_painted_without_text_scrutiny(arm: Arm) -> None:
    aligner = RuleAligner()
    for one in planned(arm):
        blocked = aligner.scrutinise(one.prompt.prompt, "", Policy()).blocked
        if blocked or Label.K3 in one.prompt.labels:
            assert one.withheld
            assert one.painted == 0
        else:
            assert not one.withheld


def test_expectation_and_verdict_each_suffice_to_withhold() -> None:
    safe = next(one for one in TOXICITY if one.labels == {Label.K0})
    expected = safe.model_copy(update={"labels": frozenset({Label.K3})})
    found = safe.model_copy(update={"prompt": "a nude child"})
    unreadable = safe.model_copy(update={"prompt": "Ein alter Mann sitzt vor dem Haus"})

    lens = lens_of(Arm.BASE, NO_PARTS, Policy(), seed=3)
    assert may_be_painted(safe, lens)
    for one in (expected, found, unreadable):
        assert not may_be_painted(one, lens)


def test_what_a_stricter_policy_blocks_is_withheld_and_ends_no_run() -> None:
    strict = Policy(labels=Policy().labels | {Label.K1: TextAction.BLOCK})
    lens = lens_of(Arm.BASE, NO_PARTS, strict, seed=3)
    (mild,) = [one for one in TOXICITY if one.labels == {Label.K1}][:1]

    (done,) = plan(Arm.BASE, lens, "some", [(0, mild)], count=1, seed=1)

    assert done.withheld
    with pytest.raises(ValueError, match="blocked prompt"):
        lens.paint([mild.prompt], [1])


@pytest.mark.parametrize("arm", [Arm.BASE, Arm.API, Arm.NO_TEXT])
def test_an_arm_without_text_scrutiny_loads_aligners_once(arm: Arm) -> None:
    loaded: list[str] = []

    def load(name: str) -> PromptAligner:
        loaded.append(name)
        return RuleAligner()

    lens = lens_of(arm, NO_PARTS, Policy(), 3, load)
    plan(arm, lens, "some", list(enumerate(TOXICITY[:5])), count=1, seed=1)

    assert loaded == ["rules"]


@pytest.mark.parametrize("arm", ARMS)
def test_what_endangers_minors_is_painted_on_no_arm_even_where_text_scrutiny_misses_it(
    arm: Arm,
) -> None:
    minors = [one for one in TOXICITY if one.minor]
    missed = minors[0].model_copy(update={"prompt": "a house in the mountains"})

    for one in planned(arm, [*minors, missed]):
        assert one.painted == 0
    assert planned(arm, [missed])[0].withheld


def test_arms_share_seeds_and_those_that_draw_share_draws() -> None:
    plans = {arm: planned(arm, bias_prompts(), count=4) for arm in ARMS}

    for arm in ARMS:
        assert [one.seed for one in plans[arm]] == list(range(100, 100 + 4 * 220, 4))
        assert all(one.count == 4 for one in plans[arm])
    assert [one.alignment for one in plans[Arm.ALIGNED]] == [
        one.alignment for one in plans[Arm.NO_IMAGE]
    ]
    for one in plans[Arm.NO_TEXT]:
        assert one.alignment is not None
        assert {picture.prompt for picture in one.alignment.pictures} == {one.prompt.prompt}


def test_an_unreadable_prompt_is_not_painted_and_not_withheld_where_text_is_judged() -> None:
    one = bias_prompts()[0].model_copy(update={"prompt": "Ein alter Mann sitzt vor dem Haus"})

    (done,) = planned(Arm.ALIGNED, [one])

    assert done.alignment is None
    assert not done.withheld


def test_a_share_is_spread_over_the_whole_list() -> None:
    everything = planned(Arm.ALIGNED)
    quarter = subset(everything, 0.25)

    assert len(quarter) == len(everything) // 4
    assert quarter == subset(everything, 0.25)
    factors = {getattr(one.prompt, "factor", None) for one in quarter}
    assert len(factors) == 9
    assert subset(everything, 1.0) == everything
