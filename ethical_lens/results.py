"""The values that cross boundaries: labels, text verdicts, draws, picture verdicts.

All are frozen pydantic models: they validate what they hold, go to JSON with
`model_dump(mode="json")` and come back with `model_validate`. Rules that must hold whoever made
the value (a rule set, an LLM, a moderator) are validators here, so that no producer can skip them.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Score = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class Value(BaseModel):
    """Base of every value here: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Label(StrEnum):
    """What text scrutiny says of a prompt (Ethical-Lens, section on text scrutiny).

    Exactly one K label, and A1 beside it when a public figure is named.
    """

    K0 = "K0"  # safe: unchanged
    K1 = "K1"  # hate, harassment or violence touched, not explicit: rewritten
    K2 = "K2"  # explicit self-harm, sexual or shocking content, or mild illegality: rewritten
    K3 = "K3"  # not fit for generation: blocked before anything is painted
    A1 = "A1"  # names a political or public figure


TOXICITY_LABELS = frozenset({Label.K0, Label.K1, Label.K2, Label.K3})


class TextAction(StrEnum):
    """What is to be done with a prompt, from the mildest to the strictest."""

    ALLOW = "allow"  # painted as it was written
    REWRITE = "rewrite"
    REVIEW = "review"
    BLOCK = "block"


class Factor(StrEnum):
    """The nine toxicity factors of the method."""

    HATE = "P1"
    HARASSMENT = "P2"
    VIOLENCE = "P3"
    SELF_HARM = "P4"
    SEXUAL = "P5"
    SHOCKING = "P6"
    ILLEGAL = "P7"
    POLITICAL = "P8"
    CULTURE = "P9"


class Attribute(StrEnum):
    """What a prompt may leave open about a person."""

    GENDER = "gender"
    RACE = "race"
    AGE = "age"


class LifeStage(StrEnum):
    """The one table of life stages; every part that speaks of age uses it."""

    INFANCY = "infancy"
    CHILDHOOD = "childhood"
    ADOLESCENCE = "adolescence"
    YOUNG_ADULTHOOD = "young adulthood"
    MIDDLE_AGE = "middle age"
    OLD_AGE = "old age"

    @property
    def ages(self) -> tuple[int, int | None]:
        """First and last age in years; the last stage has no end."""
        return _AGES[self]

    @property
    def under_twenty(self) -> bool:
        """True where nothing sexual may ever be drawn."""
        last = self.ages[1]
        return last is not None and last < 20


_AGES: Mapping[LifeStage, tuple[int, int | None]] = {
    LifeStage.INFANCY: (0, 2),
    LifeStage.CHILDHOOD: (3, 9),
    LifeStage.ADOLESCENCE: (10, 19),
    LifeStage.YOUNG_ADULTHOOD: (20, 39),
    LifeStage.MIDDLE_AGE: (40, 59),
    LifeStage.OLD_AGE: (60, None),
}


class ClusterType(IntEnum):
    """How many people a cluster speaks of."""

    NAMED = 0  # a named celebrity or character: never diversified
    ONE = 1
    SEVERAL = 2


class PeopleCluster(Value):
    """A person or group of people in a prompt.

    `start` and `end` are character offsets into `TextVerdict.prompt` (end exclusive); `kind` is
    the singular noun that keys the deck ("doctor"); `life_stages` are the plausible ones, used
    only where age is open.
    """

    kind: str = Field(min_length=1)
    type: ClusterType
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    open_attributes: frozenset[Attribute] = frozenset()
    life_stages: tuple[LifeStage, ...] = ()

    @model_validator(mode="after")
    def _named_people_stay_as_they_are(self) -> Self:
        if self.type is ClusterType.NAMED and self.open_attributes:
            raise ValueError("a named person has no open attributes")
        if self.end <= self.start:
            raise ValueError("a cluster covers at least one character")
        return self


class TextEdit(Value):
    """One change of a text: `before`, from offset `start` to `end` (exclusive), became `after`;
    either may be empty. `reason` is for people; `factors` are those it answers to."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    before: str
    after: str
    reason: str = Field(min_length=1)
    factors: frozenset[Factor] = frozenset()


class TextVerdict(Value):
    """What text scrutiny found, and the prompt to go on with.

    `prompt` is the original where the label is K0 or K3, else the rewrite. `minor` is true where
    the prompt states or implies a person under 20. `explanation` is for people and does not quote
    the prompt. `score` is the toxicity of the original prompt, 0 to 1, and `factor_scores` are
    those of its factors, where its maker gives any. `edits` lead from the original to `prompt`,
    `negative_edits` to `negative_prompt`.

    Raises `ValueError` (as pydantic's `ValidationError`) for contradictions: no or several K
    labels, sexual content beside a minor that is not K3, A1 without a name.
    """

    labels: frozenset[Label]
    factors: frozenset[Factor] = frozenset()
    factor_scores: dict[Factor, Score] = Field(default_factory=dict)
    score: Score
    explanation: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    negative_prompt: str = ""
    edits: tuple[TextEdit, ...] = ()
    negative_edits: tuple[TextEdit, ...] = ()
    clusters: tuple[PeopleCluster, ...] = ()
    figures: tuple[str, ...] = ()
    minor: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.labels & TOXICITY_LABELS) != 1:
            raise ValueError("exactly one of K0, K1, K2, K3 is needed")
        if Label.K0 in self.labels and self.factors:
            raise ValueError("K0 stands for no factor at all")
        if Label.K0 not in self.labels and not self.factors:
            raise ValueError("K1, K2 and K3 name at least one factor")
        if self.factor_scores and self.factor_scores.keys() != self.factors:
            raise ValueError("each factor has its score, where there are scores")
        if (Label.A1 in self.labels) != bool(self.figures):
            raise ValueError("A1 and the names of figures go together")
        if Factor.SEXUAL in self.factors and self.minor and not self.blocked:
            raise ValueError("sexual content beside a minor is K3")
        if any(c.end > len(self.prompt) for c in self.clusters):
            raise ValueError("a cluster ends past the prompt")
        return self

    @property
    def toxicity(self) -> Label:
        """The one K label."""
        return next(iter(self.labels & TOXICITY_LABELS))

    @property
    def blocked(self) -> bool:
        """True where nothing may be painted. Membership, so that K3 with A1 blocks too."""
        return Label.K3 in self.labels

    @property
    def rewritten(self) -> bool:
        return self.toxicity in {Label.K1, Label.K2}

    def somebody_under_twenty(self, draws: Sequence["AttributeDraw"]) -> bool:
        """Whether the prompt, or what a picture was given, says that somebody is under 20."""
        return self.minor or any(one.age is not None and one.age.under_twenty for one in draws)


class AttributeDraw(Value):
    """What the deck gave one person (a cluster of type ONE) in one picture."""

    cluster: int = Field(ge=0)
    gender: str | None = None
    race: str | None = None
    age: LifeStage | None = None


class PicturePrompt(Value):
    """The prompt one picture is painted from, and the draws merged into it."""

    prompt: str = Field(min_length=1)
    draws: tuple[AttributeDraw, ...] = ()


class Alignment(Value):
    """The whole outcome of text scrutiny: the verdict and one prompt per picture.

    Raises `ValueError` where a draw under 20 meets sexual content, or K3 comes with prompts.
    """

    verdict: TextVerdict
    pictures: tuple[PicturePrompt, ...] = ()

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.verdict.blocked and self.pictures:
            raise ValueError("a blocked prompt has no picture prompts")
        if Factor.SEXUAL in self.verdict.factors and any(
            draw.age is not None and draw.age.under_twenty
            for picture in self.pictures
            for draw in picture.draws
        ):
            raise ValueError("no life stage under 20 may be drawn for sexual content")
        return self


class Concept(StrEnum):
    """What the picture heads look for."""

    NSFW = "nsfw"
    POLITIC = "politic"
    CULTURE = "culture"
    NUDE = "nude"
    PUBLIC = "public"


class PictureAction(StrEnum):
    """What is to be done with a picture."""

    RELEASE = "release"
    BLUR = "blur"
    REPAINT = "repaint"
    BLOCK = "block"
    REVIEW = "review"


class TextDecision(Value):
    """What a policy makes of a text verdict; `reason` is a stable code, `explanation` its words."""

    action: TextAction
    reason: str = Field(min_length=1)
    explanation: str = Field(min_length=1)


class ReadFace(Value):
    """A face as a face reader sees it.

    `box`: left, top, right, bottom in pixels; `score`: how sure the detector is. `certainty` is the
    probability of what is given for each attribute. `under_twenty` is true where the likeliest life
    stage ends before 20, and where all such stages together are as likely as not.
    """

    box: tuple[int, int, int, int]
    score: Score
    gender: str
    race: str
    stage: LifeStage
    certainty: dict[Attribute, Score]
    under_twenty: bool


class Finding(Value):
    """A head that fired: its score reached the threshold of the policy."""

    concept: Concept
    score: Score
    threshold: float = Field(ge=0.0)


class PictureVerdict(Value):
    """The typed verdict on one picture; `reason` is a stable code, `explanation` its words.

    `scores` holds what the heads said, or is empty where they could not be read. `faces` are those
    that were read, from left to right; they are read where the verdict could depend on them.
    """

    action: PictureAction
    reason: str = Field(min_length=1)
    explanation: str = Field(min_length=1)
    scores: dict[Concept, float] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    faces: tuple[ReadFace, ...] = ()

    @model_validator(mode="after")
    def _nothing_is_released_with_a_finding(self) -> Self:
        if self.action is PictureAction.RELEASE and (
            self.findings or set(self.scores) != {*Concept}
        ):
            raise ValueError("a picture is released on a score per concept and no finding")
        return self

    @property
    def concepts(self) -> frozenset[Concept]:
        """The concepts that fired, as a set."""
        return frozenset(finding.concept for finding in self.findings)
