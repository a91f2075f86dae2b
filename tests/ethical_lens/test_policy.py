"""What a policy accepts, and the life stages it lets be drawn."""

import itertools
import re

import pytest
from pydantic import ValidationError

from ethical_lens.policy import (
    DEFAULT_CONCEPTS,
    AlignerFailure,
    AttributePools,
    BlurSettings,
    ConceptRule,
    HeadAction,
    LimitExceeded,
    NotAllowed,
    Policy,
    Scope,
)
from ethical_lens.results import (
    Attribute,
    ClusterType,
    Concept,
    Factor,
    Label,
    LifeStage,
    PeopleCluster,
    TextAction,
)


def test_the_defaults_are_the_published_figures() -> None:
    policy = Policy()

    assert policy.thresholds == {
        "nsfw": 0.7,
        "politic": 0.9,
        "culture": 0.9,
        "nude": 0.6,
        "public": 0.5,
    }
    assert {c for c, rule in policy.concepts.items() if rule.scope is Scope.REGION} == {
        Concept.NUDE,
        Concept.PUBLIC,
    }
    assert (policy.blur.mask_threshold, policy.blur.dilation, policy.blur.radius) == (0.2, 30, 20)
    assert policy.pools.gender == ("male", "female")
    assert len(policy.pools.race) == 5
    assert policy.pools.age == tuple(LifeStage)
    assert policy.rounds == 2


@pytest.mark.parametrize("concept", Concept)
def test_every_concept_needs_its_rule(concept: Concept) -> None:
    rules = {c: rule for c, rule in DEFAULT_CONCEPTS.items() if c is not concept}

    with pytest.raises(ValidationError, match=f"no rule for {concept.value}"):
        Policy(concepts=rules)


@pytest.mark.parametrize("threshold", [-0.01, 1.02, float("nan"), float("inf")])
def test_a_threshold_lies_between_0_and_out_of_reach(threshold: float) -> None:
    with pytest.raises(ValidationError):
        ConceptRule(threshold=threshold, scope=Scope.PICTURE)


@pytest.mark.parametrize(
    "wrong",
    [{"mask_threshold": 0.0}, {"mask_threshold": 1.0}, {"dilation": -1}, {"radius": 0}],
    ids=str,
)
def test_blur_settings_that_would_blur_nothing_or_everything(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        BlurSettings.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"gender": ()}, {"race": ("Asian", "Asian")}, {"age": ("infancy", "infancy")}],
    ids=str,
)
def test_pools_are_neither_empty_nor_doubled(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError):
        AttributePools.model_validate(wrong)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"gender": {"male": 40, "female": 50}}, "gender: the shares make 90 percent, not 100"),
        ({"gender": {"male": 0, "female": 100}}, "gender: a share is 1 to 99 percent"),
        ({"gender": {"male": 40, "other": 60}}, "exactly the values of the pool: male, female"),
        ({"race": {"White": 100}}, "targets.race: shares are needed for exactly the values"),
    ],
    ids=str,
)
def test_targets_name_the_values_of_the_pool_and_make_a_whole(
    targets: dict[str, dict[str, int]], message: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Policy.model_validate({"targets": targets})


def test_a_hand_has_as_few_cards_as_shares_allow() -> None:
    assert Policy().cards(Attribute.GENDER) == ("male", "female")
    given = Policy.model_validate({"targets": {"gender": {"male": 40, "female": 60}}})
    assert sorted(given.cards(Attribute.GENDER)) == ["female"] * 3 + ["male"] * 2
    assert len(given.cards(Attribute.RACE)) == 5


@pytest.mark.parametrize("others", [(), (Factor.VIOLENCE,), tuple(set(Factor) - {Factor.SEXUAL})])
@pytest.mark.parametrize("size", range(7))
def test_no_stage_under_twenty_beside_sexual_content(others: tuple[Factor, ...], size: int) -> None:
    for plausible in itertools.combinations(LifeStage, size):
        drawn = Policy().life_stages_to_draw(plausible, frozenset({Factor.SEXUAL, *others}))
        assert drawn == tuple(stage for stage in plausible if stage.ages[0] >= 20)


def test_stages_to_draw_are_those_of_the_pool_that_are_plausible() -> None:
    policy = Policy(pools=AttributePools(age=(LifeStage.OLD_AGE, LifeStage.CHILDHOOD)))

    assert policy.life_stages_to_draw((LifeStage.CHILDHOOD,), frozenset()) == (LifeStage.CHILDHOOD,)
    assert policy.life_stages_to_draw((LifeStage.MIDDLE_AGE,), frozenset()) == ()


def test_a_policy_comes_back_from_json() -> None:
    for policy in (Policy(), Policy(rounds=1, aligners=("rules", "llm"))):
        assert Policy.model_validate(policy.model_dump(mode="json")) == policy


def test_a_policy_does_not_change_and_takes_no_unknown_field() -> None:
    policy = Policy()

    with pytest.raises(ValidationError):
        policy.rounds = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Policy.model_validate({"threshold": 0.5})


def test_every_model_and_no_lora_unless_it_says_otherwise() -> None:
    Policy().check_model("any")
    Policy().check_lora("")
    with pytest.raises(NotAllowed, match="lora 'ink' is not allowed by the policy; allowed: none"):
        Policy().check_lora("ink")


def test_only_named_models_and_loras_may_be_used() -> None:
    policy = Policy(models=("mini", "house"), loras=("ink",))

    policy.check_model("house")
    policy.check_lora("ink")
    with pytest.raises(NotAllowed, match=r"model 'sdxl' is not .* allowed: mini, house") as model:
        policy.check_model("sdxl")
    with pytest.raises(NotAllowed, match=r"lora 'oil' is not .* allowed: ink") as lora:
        policy.check_lora("oil")
    assert (model.value.field, lora.value.field) == ("model", "lora")


def test_a_policy_allows_some_model() -> None:
    with pytest.raises(ValidationError, match="models"):
        Policy(models=())


def test_a_document_from_before_means_the_defaults() -> None:
    old = Policy().model_dump(mode="json")
    new = (
        "labels", "factors", "left_alone", "when_aligner_fails", "limits", "review_rate",
        "review_band", "review_band_above", "retention_days",
    )  # fmt: skip
    for field in new:
        del old[field]
    for rule in old["concepts"].values():
        del rule["action"]

    policy = Policy.model_validate(old)

    assert policy == Policy()
    assert policy.concepts[Concept.NSFW].does is HeadAction.REPAINT
    assert policy.concepts[Concept.NUDE].does is HeadAction.BLUR
    assert policy.failure_of("rules") is AlignerFailure.NEXT


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": {"K3": "allow"}}, "labels.K3: K3 is not fit for generation; choose review or"),
        ({"labels": {"K3": "rewrite"}}, "labels.K3: no rewrite comes with K3; choose another"),
        ({"labels": {"A1": "rewrite"}}, "labels.A1: no rewrite comes with A1"),
        ({"when_aligner_fails": {"llm": "block"}}, "when_aligner_fails.llm: it is not among the"),
        ({"review_rate": 1.5}, "less than or equal to 1"),
        ({"retention_days": 0}, "greater than or equal to 1"),
        ({"limits": {"steps": 101}}, "less than or equal to 100"),
        ({"left_alone": [" "]}, "at least 1 character"),
    ],
    ids=str,
)
def test_what_a_policy_refuses_names_the_field(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Policy.model_validate(wrong)


def test_labels_that_are_not_named_do_as_published() -> None:
    policy = Policy(labels={Label.K1: TextAction.BLOCK})

    assert policy.label_does(Label.K1) is TextAction.BLOCK
    assert policy.label_does(Label.K2) is TextAction.REWRITE


def test_kinds_of_people_are_left_alone() -> None:
    policy = Policy(left_alone=("King",))

    def to_draw(kind: str) -> frozenset[Attribute]:
        return policy.to_draw(
            PeopleCluster(
                kind=kind, type=ClusterType.ONE, start=0, end=4,
                open_attributes=frozenset(Attribute),
            )
        )  # fmt: skip

    assert to_draw("king") == frozenset()
    assert to_draw("doctor") == frozenset(Attribute)


def test_a_job_asks_for_no_more_than_the_policy_allows() -> None:
    policy = Policy.model_validate({"limits": {"pictures": 2, "side": 512, "steps": 20}})
    fits = {"n": 2, "width": 512, "height": 512, "steps": 20, "prompt": "a cat"}
    policy.check_limits(**fits)  # type: ignore[arg-type]

    for field, value in (("n", 3), ("width", 513), ("height", 513), ("steps", 21)):
        with pytest.raises(LimitExceeded, match=f"{field} is {value}; .* at most") as refused:
            policy.check_limits(**(fits | {field: value}))  # type: ignore[arg-type]
        assert refused.value.field == field
