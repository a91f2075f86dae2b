"""What the model may answer. The JSON schemas of these go out with every request.

Every field is required and none has a keyword that servers of structured output may not know
(`minLength`, `uniqueItems`, …): what lies beyond types is checked here, when a reply comes in.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from ethical_lens.results import Attribute, ClusterType, Factor, Label, LifeStage
from ethical_lens.text.aligner import UnreadableReply

LONGEST_TEXT: Final = 4000
"""Characters of one text in a reply; prompts have at most 2,000."""

MOST_ENTRIES: Final = 40
"""Entries of one list in a reply; there is no prompt with more people."""

_LONGEST_NAME: Final = 100
_T = TypeVar("_T")


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT or any(ord(c) < ord(" ") and c not in "\n\t" for c in text):
        raise ValueError("too long, or with control characters")
    return text.strip()


def _name(text: str) -> str:
    name = " ".join(_text(text).split())
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError("empty or too long")
    return name


def _few(entries: tuple[_T, ...]) -> tuple[_T, ...]:
    if len(entries) > MOST_ENTRIES:
        raise ValueError("too many entries")
    return entries


def _share(number: float) -> float:
    if not 0.0 <= number <= 1.0:
        raise ValueError("not from 0 to 1")
    return number


Share = Annotated[float, AfterValidator(_share)]
Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_name)]
Few = Annotated[tuple[_T, ...], AfterValidator(_few)]


class Reply(BaseModel):
    """Base of every reply: exactly these fields, exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Number(StrEnum):
    """How many people a group speaks of."""

    NAMED = "named"
    ONE = "one"
    SEVERAL = "several"

    @property
    def cluster_type(self) -> ClusterType:
        return ClusterType[self.name]


class FactorScore(Reply):
    """A factor that the request touches, from 0 to 1."""

    factor: Factor
    score: Share


class Figure(Reply):
    """A public figure that the request names."""

    name: Name
    depicted: bool


class Person(Reply):
    """A person or group of people; `phrase` is copied from the prompt."""

    phrase: Name
    kind: Name
    number: Number
    open_attributes: Few[Attribute]
    life_stages: Few[LifeStage]


class ScrutinyReply(Reply):
    """The answer to the first question; the explanation comes first, so that labels follow it."""

    explanation: Text
    factors: Few[FactorScore]
    labels: Few[Label]
    rewrite: Text
    negative_rewrite: Text
    minor: bool
    figures: Few[Figure]
    people: Few[Person]


class MergeReply(Reply):
    """The answer to the second question: one prompt per picture, in order."""

    prompts: Few[Text]


class RevisionReply(Reply):
    """The answer to the third question: one prompt per picture, in order."""

    prompts: Few[Text]


ReplyT = TypeVar("ReplyT", bound=Reply)


def json_schema(reply: type[Reply]) -> dict[str, Any]:
    """The JSON schema that is sent for `reply`."""
    return reply.model_json_schema()


def parse(content: str, reply: type[ReplyT]) -> ReplyT:
    """`content` as JSON of that type, and nothing else: no fence, no text around it, no code.

    Raises `UnreadableReply`, which names kinds of errors and quotes nothing.
    """
    try:
        parsed = reply.model_validate_json(content)
        json.loads(content, object_pairs_hook=_no_key_twice)
    except ValidationError as error:
        kinds = sorted({problem["type"] for problem in error.errors(include_input=False)})
        raise UnreadableReply("the reply does not fit its schema: " + ", ".join(kinds)) from None
    return parsed


def _no_key_twice(pairs: list[tuple[str, Any]]) -> None:
    """A second `labels` must not silently replace the first."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise UnreadableReply("the reply has a key twice")
