"""The rules that hold for a verdict whoever made it."""

import itertools
from typing import Any

import pytest
from pydantic import ValidationError

from ethical_lens.results import (
    Alignment,
    Attribute,
    AttributeDraw,
    ClusterType,
    Concept,
    Factor,
    Finding,
    Label,
    LifeStage,
    PeopleCluster,
    PictureAction,
    PicturePrompt,
    PictureVerdict,
    TextVerdict,
)

PROMPT = "a doctor in a street"
UNDER_TWENTY = [LifeStage.INFANCY, LifeStage.CHILDHOOD, LifeStage.ADOLESCENCE]


def verdict(label: Label = Label.K0, *more: Label, **fields: Any) -> TextVerdict:
    """A verdict that is in order, but for what `fields` says."""
    toxic = label is not Label.K0
    given = {
        "labels": {label, *more},
        "factors": {Factor.VIOLENCE} if toxic else set(),
        "score": 0.5 if toxic else 0.0,
        "explanation": "made for a test",
        "prompt": PROMPT,
    }
    return TextVerdict.model_validate(given | fields)


def pictures(age: LifeStage | None) -> tuple[PicturePrompt, ...]:
    return (
        PicturePrompt(prompt=PROMPT),
        PicturePrompt(prompt=PROMPT, draws=(AttributeDraw(cluster=0, age=age),)),
    )


@pytest.mark.parametrize("also_a1", [False, True])
@pytest.mark.parametrize("label", [Label.K0, Label.K1, Label.K2, Label.K3])
def test_k3_blocks_with_and_without_a1(label: Label, also_a1: bool) -> None:
    extra, figures = ((Label.A1,), ("Ada Example",)) if also_a1 else ((), ())

    found = verdict(label, *extra, figures=figures)

    assert found.blocked is (label is Label.K3)
    assert found.toxicity is label
    assert found.rewritten is (label in {Label.K1, Label.K2})


@pytest.mark.parametrize(
    "labels", [set(), {Label.A1}, {Label.K0, Label.K3}, {Label.K1, Label.K2, Label.A1}]
)
def test_exactly_one_k_label(labels: set[Label]) -> None:
    with pytest.raises(ValidationError, match="exactly one of K0, K1, K2, K3"):
        verdict(labels=labels, figures=("Ada Example",) if Label.A1 in labels else ())


def test_k0_has_no_factor_and_the_others_have_one() -> None:
    with pytest.raises(ValidationError, match="no factor"):
        verdict(Label.K0, factors={Factor.HATE})
    for label in (Label.K1, Label.K2, Label.K3):
        with pytest.raises(ValidationError, match="at least one factor"):
            verdict(label, factors=set())


def test_a1_and_names_go_together() -> None:
    with pytest.raises(ValidationError, match="go together"):
        verdict(Label.K0, Label.A1)
    with pytest.raises(ValidationError, match="go together"):
        verdict(Label.K0, figures=("Ada Example",))


@pytest.mark.parametrize("label", [Label.K1, Label.K2, Label.K3])
def test_sexual_content_beside_a_minor_is_k3(label: Label) -> None:
    fields = {"factors": {Factor.SEXUAL, Factor.VIOLENCE}, "minor": True}
    if label is Label.K3:
        assert verdict(label, **fields).blocked
    else:
        with pytest.raises(ValidationError, match="beside a minor is K3"):
            verdict(label, **fields)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_score_is_a_share(score: float) -> None:
    with pytest.raises(ValidationError):
        verdict(score=score)


@pytest.mark.parametrize("age", LifeStage)
def test_no_stage_under_twenty_is_drawn_beside_sexual_content(age: LifeStage) -> None:
    sexual = verdict(Label.K1, factors={Factor.SEXUAL})
    if age in UNDER_TWENTY:
        with pytest.raises(ValidationError, match="under 20"):
            Alignment(verdict=sexual, pictures=pictures(age))
    else:
        assert Alignment(verdict=sexual, pictures=pictures(age)).pictures
    assert Alignment(verdict=verdict(Label.K1), pictures=pictures(age)).pictures


def test_a_blocked_prompt_has_no_picture_prompts() -> None:
    with pytest.raises(ValidationError, match="no picture prompts"):
        Alignment(verdict=verdict(Label.K3), pictures=pictures(None))
    assert Alignment(verdict=verdict(Label.K3)).pictures == ()


def test_clusters_cover_a_part_of_the_prompt() -> None:
    def cluster(start: int, end: int, **fields: Any) -> PeopleCluster:
        return PeopleCluster(kind="doctor", type=ClusterType.ONE, start=start, end=end, **fields)

    assert verdict(clusters=(cluster(2, len(PROMPT)),)).clusters
    with pytest.raises(ValidationError, match="past the prompt"):
        verdict(clusters=(cluster(2, len(PROMPT) + 1),))
    with pytest.raises(ValidationError, match="at least one character"):
        cluster(2, 2)


def test_a_named_person_has_no_open_attribute() -> None:
    with pytest.raises(ValidationError, match="no open attributes"):
        PeopleCluster(
            kind="singer",
            type=ClusterType.NAMED,
            start=0,
            end=3,
            open_attributes=frozenset({Attribute.AGE}),
        )


def test_life_stages_leave_no_age_out_and_count_none_twice() -> None:
    stages = list(LifeStage)
    for stage, following in itertools.pairwise(stages):
        last = stage.ages[1]
        assert last is not None
        assert following.ages[0] == last + 1
    assert stages[0].ages[0] == 0
    assert stages[-1].ages[1] is None
    assert [stage for stage in stages if stage.under_twenty] == UNDER_TWENTY


def test_verdicts_come_back_from_json() -> None:
    text = verdict(Label.K2, Label.A1, figures=("Ada Example",))
    picture = PictureVerdict(
        action=PictureAction.BLUR,
        reason="region_toxic",
        explanation="made for a test",
        scores={Concept.NUDE: 0.8},
        findings=(Finding(concept=Concept.NUDE, score=0.8, threshold=0.6),),
    )

    assert TextVerdict.model_validate(text.model_dump(mode="json")) == text
    assert PictureVerdict.model_validate(picture.model_dump(mode="json")) == picture
    with pytest.raises(ValidationError):
        text.prompt = "something else"  # type: ignore[misc]
