"""A policy: every threshold, pool and limit of the method, validated and frozen.

Defaults are the published constants (Cai et al. 2025; reference code `yuzhu-cai/Ethical-Lens`).
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from ethical_lens.results import Attribute, Concept, Factor, LifeStage, Value

OUT_OF_REACH = 1.01
"""A threshold no score can reach: the concept is scored and recorded, and never acted on."""


class NotAllowed(ValueError):
    """The policy does not let this model or these LoRA weights be used. `field` is which."""

    def __init__(self, field: str, name: str, allowed: Sequence[str]) -> None:
        self.field = field
        listed = ", ".join(allowed) or "none"
        super().__init__(f"{field} {name!r} is not allowed by the policy; allowed: {listed}")


class Scope(StrEnum):
    """What a finding concerns, and so how it can be repaired."""

    PICTURE = "picture"  # repainted once from a revised prompt
    REGION = "region"  # the region is found and blurred


class ConceptRule(Value):
    """A head fires where its score is at or above `threshold` (0 to 1, or `OUT_OF_REACH`)."""

    threshold: float = Field(ge=0.0, le=OUT_OF_REACH, allow_inf_nan=False)
    scope: Scope


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


class Policy(Value):
    """All that a judgement depends on besides the prompt, the picture and the models.

    `edit_faces`: whether the face of a single person is painted anew where it does not show the
    attributes drawn for it; false in policies from before there was an editor. `models` and `loras`
    are the names of pipelines and LoRA weights that requests may use; where they lie is the affair
    of the model sources. `models` is None where all may be used.

    Raises `ValueError` where a concept lacks its rule (a head without a rule could not act), and
    where fairness targets and pool do not name the same values.
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
