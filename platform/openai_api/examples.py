"""Examples and errors of the routes in OpenAI's shape, for their OpenAPI document."""

from typing import Any, Final

from config.openapi.documented import Documented
from jobs.api.moderation_examples import PIXEL
from openai_api.kinds import OF_EDITS, OF_MODERATIONS, OF_PICTURES

_JOB: Final = "01a20599-44ad-71ce-b278-2d7184b94170"
_PICTURE: Final = "01a20599-44af-70f7-ba96-def752864780"
_PROMPT: Final = "a Black middle-aged female doctor in an office"
_BASE64: Final = PIXEL.partition(",")[2]
_MODEL: Final = {"id": "mini", "object": "model", "created": 0, "owned_by": "ethical-lens"}
_COMMON: Final[dict[str, Any]] = {
    "background": "opaque",
    "output_format": "png",
    "quality": "auto",
    "size": "96x96",
    "usage": {
        "input_tokens": 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": 0,
        "total_tokens": 0,
    },
}
_MADE: Final = _COMMON | {
    "created": 1795390260,
    "job": f"https://images.example/api/v1/jobs/{_JOB}",
}
_BY_LINK: Final = _MADE | {
    "data": [
        {
            "url": f"https://s3.images.example/pictures/released/{_JOB}/{_PICTURE}/9f86d081.png",
            "revised_prompt": _PROMPT,
        }
    ]
}
_INSIDE: Final = _MADE | {"data": [{"b64_json": _BASE64, "revised_prompt": _PROMPT}]}
COMPLETED: Final = _COMMON | {
    "b64_json": _BASE64,
    "created_at": 1795390260,
    "revised_prompt": _PROMPT,
}
"""The data of an event of a stream, but for its type."""

_NAMES: Final = (
    "hate", "harassment", "violence", "violence/graphic", "self-harm", "sexual", "illicit",
    "political", "culture", "sexual/minors", "public-figure", "harassment/threatening",
    "hate/threatening", "illicit/violent", "self-harm/instructions", "self-harm/intent",
)  # fmt: skip
_OF_TEXTS: Final = frozenset(_NAMES[:10])
_FOUND: Final = {"violence": 0.95, "self-harm": 0.7}
_RESULT: Final = {
    "flagged": True,
    "categories": {name: name in _FOUND for name in _NAMES},
    "category_scores": {name: _FOUND.get(name, 0.0) for name in _NAMES},
    "category_applied_input_types": {
        name: ["text"] if name in _OF_TEXTS else [] for name in _NAMES
    },
    "moderation": "https://images.example/api/v1/moderations/01a20599-44ad-71ce-b278-2d7184b94171",
}
_REFUSALS: Final = (
    "not_allowed_by_policy", "priority_not_allowed", "too_many_jobs_in_flight",
    "too_many_pictures_today", "queue_full",
)  # fmt: skip

DOCUMENTED: Final = {
    "GET /models": Documented(answers={200: {"models": {"object": "list", "data": [_MODEL]}}}),
    "GET /models/{name}": Documented(answers={200: {"model": _MODEL}}),
    "POST /images/generations": Documented(
        request={
            "one picture": {"prompt": "a doctor in an office"},
            "four in the answer": {
                "prompt": "a doctor in an office",
                "n": 4,
                "size": "96x96",
                "response_format": "b64_json",
                "seed": 7,
            },
        },
        answers={200: {"by a link": _BY_LINK, "in the answer": _INSIDE}},
        problems=(*_REFUSALS, *OF_PICTURES),
    ),
    "POST /images/edits": Documented(
        request={
            "painted over": {
                "image": "(bytes of a picture)",
                "prompt": "a sailboat on the sea",
                "strength": 0.6,
            },
            "in a mask": {
                "image": "(bytes of a picture)",
                "mask": "(bytes of a picture)",
                "prompt": "a sailboat on the sea",
            },
        },
        answers={200: {"by a link": _BY_LINK, "in the answer": _INSIDE}},
        problems=(*_REFUSALS, *OF_PICTURES, *OF_EDITS),
    ),
    "POST /moderations": Documented(
        request={
            "a text": {"input": "a suicide bomber"},
            "texts, each by itself": {"input": ["a suicide bomber", "a doctor in an office"]},
            "a picture beside its text": {
                "input": [
                    {"type": "text", "text": "a party in a garden"},
                    {"type": "image_url", "image_url": {"url": PIXEL}},
                ]
            },
        },
        answers={
            200: {
                "a flagged text": {
                    "id": "modr-01a20599-44ad-71ce-b278-2d7184b94171",
                    "model": "ethical-lens",
                    "results": [_RESULT],
                }
            }
        },
        problems=(
            "too_many_jobs_in_flight",
            "queue_full",
            "not_allowed_by_policy",
            *OF_MODERATIONS,
        ),
    ),
}
