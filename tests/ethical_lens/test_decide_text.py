"""What a policy makes of a text verdict: label actions, factor rules, and what none can soften."""

import pytest

from ethical_lens.decide import decide_text
from ethical_lens.policy import DEFAULT_LABELS, OUT_OF_REACH, FactorRule, Policy
from ethical_lens.results import (
    AttributeDraw,
    ClusterType,
    Factor,
    Label,
    PeopleCluster,
    TextAction,
    TextVerdict,
)
from ethical_lens.text.acting import act_on
from ethical_lens.text.rules import RuleAligner


def verdict(label: Label, *factors: Factor, figure: str = "", **scores: float) -> TextVerdict:
    return TextVerdict(
        labels=frozenset({label, Label.A1} if figure else {label}),
        factors=frozenset(factors),
        factor_scores={Factor[name]: score for name, score in scores.items()},
        score=0.5,
        explanation="It says so.",
        prompt="a calm street",
        figures=(figure,) if figure else (),
    )


@pytest.mark.parametrize(
    ("label", "action"),
    [(Label.K0, "allow"), (Label.K1, "rewrite"), (Label.K2, "rewrite"), (Label.K3, "block")],
)
def test_the_published_actions_by_label(label: Label, action: str) -> None:
    found = verdict(label, *(() if label is Label.K0 else (Factor.VIOLENCE,)))

    assert decide_text(found, Policy()).action == action
    assert decide_text(found, Policy()).explanation == "It says so."


@pytest.mark.parametrize("action", TextAction)
@pytest.mark.parametrize("label", [Label.K1, Label.K2])
def test_a_label_does_what_the_policy_says(label: Label, action: TextAction) -> None:
    found = decide_text(verdict(label, Factor.VIOLENCE), Policy(labels={label: action}))

    assert found.action is action
    if action is not DEFAULT_LABELS[label]:
        assert f"The policy says {action.value} for P3: " in found.explanation


@pytest.mark.parametrize(
    ("prompt", "label", "asked", "means"),
    [
        ("a bloody doctor", Label.K2, TextAction.ALLOW, "it is painted as it was written"),
        ("a bloody doctor", Label.K2, TextAction.BLOCK, "it is blocked"),
        ("a bloody doctor", Label.K2, TextAction.REVIEW, "a person decides"),
        ("a suicide bomber", Label.K3, TextAction.REVIEW, "a person decides"),
    ],
)
def test_what_is_told_does_not_contradict_what_is_done(
    prompt: str, label: Label, asked: TextAction, means: str
) -> None:
    policy = Policy(labels={label: asked})

    told = decide_text(RuleAligner().scrutinise(prompt, "", policy), policy).explanation

    said = [
        words for words in ("reworded", "blocked", "as it was written", "decides") if words in told
    ]
    assert told.endswith(f": {means}.")
    assert said == [
        words for words in ("blocked", "as it was written", "decides") if words in means
    ]


def test_a_named_figure_can_ask_for_a_person() -> None:
    policy = Policy(labels={Label.A1: TextAction.REVIEW})

    assert decide_text(verdict(Label.K0, figure="Ada"), policy).action is TextAction.REVIEW
    assert decide_text(verdict(Label.K0), policy).action is TextAction.ALLOW


@pytest.mark.parametrize("action", TextAction)
def test_a_factor_acts_from_its_threshold_on(action: TextAction) -> None:
    policy = Policy(factors={Factor.VIOLENCE: FactorRule(threshold=0.4, action=action)})

    assert decide_text(verdict(Label.K1, Factor.VIOLENCE, VIOLENCE=0.4), policy).action is action
    below = verdict(Label.K1, Factor.VIOLENCE, VIOLENCE=0.39)
    assert decide_text(below, policy).action is TextAction.ALLOW
    assert decide_text(verdict(Label.K1, Factor.VIOLENCE), policy).action is action, "no score"


def test_the_strictest_factor_rules() -> None:
    policy = Policy(
        factors={
            Factor.VIOLENCE: FactorRule(action=TextAction.ALLOW),
            Factor.HATE: FactorRule(action=TextAction.BLOCK),
        }
    )

    assert decide_text(verdict(Label.K1, Factor.VIOLENCE), policy).action is TextAction.ALLOW
    shocking = verdict(Label.K2, Factor.VIOLENCE, Factor.SHOCKING)
    assert decide_text(shocking, policy).action is TextAction.REWRITE
    both = decide_text(verdict(Label.K2, Factor.VIOLENCE, Factor.HATE), policy)
    assert (both.action, both.reason) == (TextAction.BLOCK, "prompt_blocked")
    assert "for P1: it is blocked." in both.explanation


def test_no_rule_makes_k3_milder() -> None:
    allowed = {factor: FactorRule(action=TextAction.ALLOW) for factor in Factor}
    found = verdict(Label.K3, *Factor)

    assert decide_text(found, Policy(factors=allowed)).action is TextAction.BLOCK
    asks = Policy(factors=allowed, labels={Label.K3: TextAction.REVIEW})
    assert decide_text(found, asks).action is TextAction.REVIEW


@pytest.mark.parametrize("label", [Label.K1, Label.K2, Label.K3])
@pytest.mark.parametrize("asked", TextAction)
def test_nothing_a_policy_says_lets_a_sexual_prompt_of_a_minor_pass(
    label: Label, asked: TextAction
) -> None:
    if label is Label.K3 and asked not in {TextAction.REVIEW, TextAction.BLOCK}:
        asked = TextAction.REVIEW
    policy = Policy(
        labels={label: asked},
        factors={Factor.SEXUAL: FactorRule(threshold=OUT_OF_REACH, action=TextAction.ALLOW)},
    )
    found = verdict(label, Factor.SEXUAL, SEXUAL=0.1).model_copy(update={"minor": True})

    done = decide_text(found, policy)

    assert (done.action, done.reason) == (TextAction.BLOCK, "sexual_and_under_twenty")
    assert "Nothing sexual is painted of somebody under 20" in done.explanation
    assert decide_text(found.model_copy(update={"minor": False}), policy).reason != done.reason


def drawn(found: TextVerdict) -> tuple[tuple[AttributeDraw, ...], ...]:
    return (tuple(AttributeDraw(cluster=i, gender="male") for i in range(len(found.clusters))),) * 2


@pytest.mark.parametrize("action", [TextAction.BLOCK, TextAction.REVIEW])
def test_nothing_is_painted_of_what_is_blocked_or_held(action: TextAction) -> None:
    policy = Policy(labels={Label.K0: action})

    done = act_on(verdict(Label.K0), "a calm street", "", policy, RuleAligner(), drawn)

    assert done.pictures == ()


def test_what_is_allowed_is_painted_as_written_with_nobody_drawn() -> None:
    person = PeopleCluster(kind="doctor", type=ClusterType.ONE, start=0, end=6)
    found = verdict(Label.K1, Factor.VIOLENCE).model_copy(update={"clusters": (person,)})
    policy = Policy(labels={Label.K1: TextAction.ALLOW})

    done = act_on(found, "a bloody doctor", "dark", policy, RuleAligner(), drawn)

    assert [one.prompt for one in done.pictures] == ["a bloody doctor"] * 2
    assert done.verdict.negative_prompt == "dark"
    assert [one.draws for one in done.pictures] == [(), ()]
