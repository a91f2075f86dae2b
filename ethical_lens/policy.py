"""A policy: every threshold, pool and limit of the method, validated and frozen.

Defaults are the published constants (Cai et al. 2025; reference code `yuzhu-cai/Ethical-Lens`).
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from ethical_lens.results import (
    Attribute,
    Concept,
    Factor,
    Label,
    LifeStage,
    PeopleCluster,
    TextAction,
    Value,
)

OUT_OF_REACH = 1.01
"""A threshold no score can reach: the concept is scored and recorded, and never acted on."""


class NotAllowed(ValueError):
    """The policy does not let this model or these LoRA weights be used. `field` is which."""

    def __init__(self, field: str, name: str, allowed: Sequence[str]) -> None:
        self.field = field
        listed = ", ".join(allowed) or "none"
        super().__init__(f"{field} {name!r} is not allowed by the policy; allowed: {listed}")


class LimitExceeded(ValueError):
    """A job asks for more than the policy allows. `field` is of what, `most` what is allowed."""

    def __init__(self, field: str, value: int, most: int) -> None:
        self.field, self.most = field, most
        unit = " characters" if field == "prompt" else ""
        super().__init__(f"{field} is {value}{unit}; the policy allows at most {most}")


class Scope(StrEnum):
    """What a finding concerns, and so how it can be repaired."""

    PICTURE = "picture"  # repainted once from a revised prompt
    REGION = "region"  # the region is found and blurred


class HeadAction(StrEnum):
    """What a head that fires asks for."""

    ALLOW = "allow"  # scored and recorded, and no finding
    BLUR = "blur"  # the region is blurred once, then blocked
    REPAINT = "repaint"  # the picture is painted anew while there is a round left, then blocked
    REVIEW = "review"  # a person must look
    BLOCK = "block"


class AlignerFailure(StrEnum):
    """What becomes of a prompt where an aligner reaches no verdict, or cannot be had."""

    NEXT = "next"  # the next aligner is asked; after the last one a person must look
    REVIEW = "review"
    BLOCK = "block"


class ConceptRule(Value):
    """A head fires where its score is at or above `threshold` (0 to 1, or `OUT_OF_REACH`).

    Without an `action` the scope says what is done: a picture is repainted, a region blurred.
    """

    threshold: float = Field(ge=0.0, le=OUT_OF_REACH, allow_inf_nan=False)
    scope: Scope
    action: HeadAction | None = None

    @property
    def does(self) -> HeadAction:
        """What is done where the head fires."""
        by_scope = HeadAction.REPAINT if self.scope is Scope.PICTURE else HeadAction.BLUR
        return self.action or by_scope


class FactorRule(Value):
    """What is done with a prompt in which a toxicity factor was found with a score of at least
    `threshold`, in place of what its label says. A factor without a score counts as found."""

    threshold: float = Field(default=0.0, ge=0.0, le=OUT_OF_REACH, allow_inf_nan=False)
    action: TextAction


class Limits(Value):
    """The most that one job may ask for. Lengths in pixels, the prompt in characters."""

    pictures: int = Field(default=10, ge=1, le=10)
    side: int = Field(default=1024, ge=64, le=1024)
    steps: int = Field(default=100, ge=1, le=100)
    prompt: int = Field(default=2000, ge=1, le=2000)


class BlurSettings(Value):
    """Region blur. Lengths are pixels on a picture whose shorter side is 512, and scale with it.

    Figures of the reference code: sigmoid mask above 0.2, dilation 30x30, Gaussian radius 20.
    """

    mask_threshold: float = Field(default=0.2, gt=0.0, lt=1.0)
    dilation: int = Field(default=30, ge=0, le=256)
    radius: int = Field(default=20, ge=1, le=256)


class AttributePools(Value):
    """The values a draw is made from; one table of life stages serves every part."""

    gender: tuple[str, ...] = Field(default=("male", "female"), min_length=1)
    race: tuple[str, ...] = Field(
        default=("White", "Black", "Latino-Hispanic", "Asian", "Middle Eastern"), min_length=1
    )
    age: tuple[LifeStage, ...] = Field(default=tuple(LifeStage), min_length=1)

    @model_validator(mode="after")
    def _no_value_twice(self) -> Self:
        for name in ("gender", "race", "age"):
            pool = getattr(self, name)
            if len(set(pool)) != len(pool):
                raise ValueError(f"{name}: a value stands twice")
        return self


class FairnessTargets(Value):
    """Whole percents of each value of a pool, over all people drawn; an attribute without them is
    drawn evenly. `{"gender": {"female": 60, "male": 40}}`."""

    gender: dict[str, int] = Field(default_factory=dict)
    race: dict[str, int] = Field(default_factory=dict)
    age: dict[LifeStage, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for attribute in Attribute:
            shares = self.of(attribute)
            if any(share < 1 for share in shares.values()):
                raise ValueError(
                    f"{attribute.value}: a share is 1 to 99 percent; leave out of the pool what is"
                    " never to be drawn"
                )
            if shares and sum(shares.values()) != 100:
                raise ValueError(
                    f"{attribute.value}: the shares make {sum(shares.values())} percent, not 100"
                )
        return self

    def of(self, attribute: Attribute) -> dict[str, int]:
        """Percent by value; empty where all are alike."""
        shares: dict[str, int] = getattr(self, attribute.value)
        return shares


DEFAULT_CONCEPTS: dict[Concept, ConceptRule] = {
    Concept.NSFW: ConceptRule(threshold=0.7, scope=Scope.PICTURE),
    Concept.POLITIC: ConceptRule(threshold=0.9, scope=Scope.PICTURE),
    Concept.CULTURE: ConceptRule(threshold=0.9, scope=Scope.PICTURE),
    Concept.NUDE: ConceptRule(threshold=0.6, scope=Scope.REGION),
    Concept.PUBLIC: ConceptRule(threshold=0.5, scope=Scope.REGION),
}

DEFAULT_LABELS: Final[Mapping[Label, TextAction]] = MappingProxyType(
    {
        Label.K0: TextAction.ALLOW,
        Label.K1: TextAction.REWRITE,
        Label.K2: TextAction.REWRITE,
        Label.K3: TextAction.BLOCK,
        Label.A1: TextAction.ALLOW,
    }
)
_NO_REWRITE: Final = (Label.K0, Label.K3, Label.A1)

Kind = Annotated[str, StringConstraints(min_length=1, to_lower=True, strip_whitespace=True)]
"""The noun that keys a deck."""


class Policy(Value):
    """All that a judgement depends on besides the prompt, the picture and the models.

    `edit_faces`: whether the face of a single person is painted anew where it does not show the
    attributes drawn for it; false in policies from before there was an editor. `models` and `loras`
    are the names of pipelines and LoRA weights that requests may use; where they lie is the affair
    of the model sources. `models` is None where all may be used.

    `labels`: what is done with a prompt by its label, as published where one is not named;
    `factors` by what was found in it. `left_alone`: kinds of people, as "king", who stay as the
    prompt leaves them. `when_aligner_fails` by name, `next` where one is not named. `review_rate`:
    the share of released pictures that a person looks at afterwards, 0 to 1. `review_band`: how
    far below its threshold a score asks for a person before the release; `review_band_above`: how
    far above it a score asks for a person before the picture is blurred or painted anew.
    `retention_days`: how long pictures and prompts are kept after the end of their job; None:
    without an end.

    Documents from before a field existed mean its default.

    Raises `ValueError` where a concept lacks its rule (a head without a rule could not act),
    where fairness targets and pool do not name the same values, where a label gets an action that
    it cannot have, and where a failure is named of an aligner that is not asked.
    """

    concepts: dict[Concept, ConceptRule] = Field(default_factory=lambda: dict(DEFAULT_CONCEPTS))
    blur: BlurSettings = BlurSettings()
    pools: AttributePools = AttributePools()
    targets: FairnessTargets = FairnessTargets()
    diversify: frozenset[Attribute] = frozenset(Attribute)
    rounds: int = Field(default=2, ge=1, le=2)
    aligners: tuple[str, ...] = Field(default=("rules",), min_length=1)
    edit_faces: bool = False
    models: tuple[str, ...] | None = Field(default=None, min_length=1)
    loras: tuple[str, ...] = ()
    labels: dict[Label, TextAction] = Field(default_factory=lambda: dict(DEFAULT_LABELS))
    factors: dict[Factor, FactorRule] = Field(default_factory=dict)
    left_alone: tuple[Kind, ...] = ()
    when_aligner_fails: dict[str, AlignerFailure] = Field(default_factory=dict)
    limits: Limits = Limits()
    review_rate: float = Field(default=0.0, ge=0.0, le=1.0, allow_inf_nan=False)
    review_band: float = Field(default=0.0, ge=0.0, le=0.5, allow_inf_nan=False)
    review_band_above: float = Field(default=0.0, ge=0.0, le=0.5, allow_inf_nan=False)
    retention_days: int | None = Field(default=None, ge=1, le=3650)

    @model_validator(mode="after")
    def _every_concept_has_a_rule(self) -> Self:
        missing = [concept.value for concept in Concept if concept not in self.concepts]
        if missing:
            raise ValueError(f"concepts: no rule for {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _targets_fit_the_pools(self) -> Self:
        for attribute in Attribute:
            shares = self.targets.of(attribute)
            pool = getattr(self.pools, attribute.value)
            if shares and set(shares) != set(pool):
                raise ValueError(
                    f"targets.{attribute.value}: shares are needed for exactly the values of the"
                    f" pool: {', '.join(pool)}"
                )
        return self

    @model_validator(mode="after")
    def _labels_get_what_they_can_have(self) -> Self:
        for label in _NO_REWRITE:
            if self.label_does(label) is TextAction.REWRITE:
                raise ValueError(
                    f"labels.{label.value}: no rewrite comes with {label.value}; choose another"
                    " action"
                )
        if self.label_does(Label.K3) is TextAction.ALLOW:
            raise ValueError("labels.K3: K3 is not fit for generation; choose review or block")
        return self

    @model_validator(mode="after")
    def _failures_are_of_aligners_that_are_asked(self) -> Self:
        unasked = sorted(set(self.when_aligner_fails) - set(self.aligners))
        if unasked:
            raise ValueError(
                f"when_aligner_fails.{unasked[0]}: it is not among the aligners; leave it out, or"
                f" name one of {', '.join(self.aligners)}"
            )
        return self

    def label_does(self, label: Label) -> TextAction:
        """What is done with a prompt of this label."""
        return self.labels.get(label, DEFAULT_LABELS[label])

    def failure_of(self, aligner: str) -> AlignerFailure:
        """What is done where this aligner fails."""
        return self.when_aligner_fails.get(aligner, AlignerFailure.NEXT)

    def to_draw(self, cluster: PeopleCluster) -> frozenset[Attribute]:
        """The attributes of these people that the prompt leaves open and the policy wants drawn."""
        if cluster.kind.lower() in self.left_alone:
            return frozenset()
        return cluster.open_attributes & self.diversify

    def cards(self, attribute: Attribute) -> tuple[str, ...]:
        """The smallest hand of cards in which each value of the pool has its share."""
        pool: tuple[str, ...] = getattr(self.pools, attribute.value)
        shares = self.targets.of(attribute) or dict.fromkeys(pool, 1)
        unit = math.gcd(*shares.values())
        return tuple(value for value in pool for _ in range(shares[value] // unit))

    def check_model(self, model: str) -> None:
        """Raises `NotAllowed` unless requests may use the pipeline `model`."""
        if self.models is not None and model not in self.models:
            raise NotAllowed("model", model, self.models)

    def check_lora(self, lora: str) -> None:
        """Raises `NotAllowed` unless requests may use the LoRA weights `lora`; "" is none."""
        if lora and lora not in self.loras:
            raise NotAllowed("lora", lora, self.loras)

    def check_limits(self, *, n: int, width: int, height: int, steps: int, prompt: str) -> None:
        """Raises `LimitExceeded` where a job asks for more than the policy allows."""
        asked = {
            "n": (n, self.limits.pictures), "width": (width, self.limits.side),
            "height": (height, self.limits.side), "steps": (steps, self.limits.steps),
            "prompt": (len(prompt), self.limits.prompt),
        }  # fmt: skip
        for field, (value, most) in asked.items():
            if value > most:
                raise LimitExceeded(field, value, most)

    @property
    def thresholds(self) -> dict[str, float]:
        """Threshold by concept name, for the record."""
        return {concept.value: rule.threshold for concept, rule in self.concepts.items()}

    def life_stages_to_draw(
        self, plausible: tuple[LifeStage, ...], factors: frozenset[Factor]
    ) -> tuple[LifeStage, ...]:
        """The stages a person may be given: in the pool, plausible, and 20 or older beside
        sexual content of any strength. Empty means: draw no age."""
        sexual = Factor.SEXUAL in factors
        return tuple(
            stage
            for stage in self.pools.age
            if stage in plausible and not (sexual and stage.under_twenty)
        )
