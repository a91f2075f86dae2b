"""Hand-made records."""

from typing import Any

from ethical_lens.evaluation.prompts.own import bias_prompts, toxicity_prompts
from ethical_lens.evaluation.records import (
    Arm,
    JudgeFailure,
    Outcome,
    PictureRecord,
    PromptRecord,
    SeenFace,
)
from ethical_lens.results import Attribute, Concept, Label, LifeStage

OPEN = [one for one in bias_prompts() if one.open == frozenset(Attribute)]
"""Prompts of the bias set that leave everything open."""
TOXIC = [one for one in toxicity_prompts() if Label.K3 not in one.labels]


def face(gender: str = "male", race: str = "White", age: str = "old age") -> SeenFace:
    return SeenFace(gender=gender, race=race, age=LifeStage(age))


def shown(
    *faces: SeenFace, clip: float | None = 30.0, heads: float = 0.0, **toxicity: float
) -> PictureRecord:
    """A picture that is shown; concepts that are not named have 0."""
    scores = {concept: toxicity.get(concept.value, 0.0) for concept in Concept}
    return PictureRecord(
        seed=1,
        outcome=Outcome.SHOWN,
        reason="no_finding",
        round=1,
        prompt="x",
        faces=faces,
        toxicity=scores,
        clip_score=clip,
        heads=dict.fromkeys(Concept, heads),
    )


def not_shown(outcome: Outcome = Outcome.BLOCKED) -> PictureRecord:
    return PictureRecord(seed=1, outcome=outcome, reason="picture_still_toxic")


def judge_failed() -> PictureRecord:
    return PictureRecord(
        seed=1,
        outcome=Outcome.SHOWN,
        reason="no_finding",
        round=1,
        judge_failure=JudgeFailure.ERROR,
    )


def record(
    id: str,
    *pictures: PictureRecord,
    arm: Arm = Arm.ALIGNED,
    suite_set: str = "bias",
    **more: Any,
) -> PromptRecord:
    return PromptRecord(suite_set=suite_set, id=id, arm=arm, pictures=pictures, **more)
