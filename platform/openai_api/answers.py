"""What is answered, in OpenAI's shape, as the document has it."""

import json
from typing import Any, Final, Literal

from ninja import Schema
from pydantic import Field


class ModelOut(Schema):
    """A model that jobs can name."""

    id: str
    object: Literal["model"]
    created: int = Field(description="not known here: 0")
    owned_by: str


class ModelsOut(Schema):
    """The models that the tenant's policy allows, the default first."""

    object: Literal["list"]
    data: list[ModelOut]


class TokenDetails(Schema):
    """Of no meaning here."""

    image_tokens: int
    text_tokens: int


class UsageOut(Schema):
    """Pictures are counted here, not tokens: all is 0."""

    input_tokens: int
    input_tokens_details: TokenDetails
    output_tokens: int
    total_tokens: int


class PictureOut(Schema):
    """A released picture, as a link that ends after a while or as PNG in base64."""

    url: str = Field(default="", description="where `response_format` is `url`")
    b64_json: str = Field(default="", description="where `response_format` is `b64_json`")
    revised_prompt: str = Field(description="what it was really painted from")


class PicturesOut(Schema):
    """The pictures of a job that were released; others of it may have been blocked."""

    created: int = Field(description="of the job, in seconds since 1970")
    data: list[PictureOut]
    job: str = Field(description="where the job is seen")
    background: Literal["opaque"]
    output_format: Literal["png"]
    quality: Literal["auto"]
    size: str
    usage: UsageOut


class ResultOut(Schema):
    """What was found in what is judged together, by category."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float] = Field(description="0 to 1")
    category_applied_input_types: dict[str, list[Literal["text", "image"]]]
    moderation: str = Field(description="where it is seen with findings and thresholds")


class ModerationsOut(Schema):
    """One result for each text of a list, or one for all parts together."""

    id: str
    model: str
    results: list[ResultOut]


EVENT: Final[dict[str, Any]] = {
    "title": "Event",
    "description": "each event of the stream: one per released picture",
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["image_generation.completed", "image_edit.completed"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}


def streamed(kind: str, example: dict[str, Any]) -> dict[str, Any]:
    """The answer with `stream`, for the document; `example` is the data of one event of `kind`."""
    event = {"event": f"{kind}.completed", "data": json.dumps(example)}
    return {
        "responses": {
            200: {
                "content": {
                    "text/event-stream": {
                        "schema": EVENT,
                        "examples": {"a picture": {"value": event}},
                    }
                }
            }
        }
    }
