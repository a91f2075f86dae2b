"""The documents of the API and their operations, for tests that go through all of them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

PREFIX = "/api/v1"
OPENAI = "/v1"
"""The routes in OpenAI's shape, which have a document of their own."""
METHODS = ("get", "put", "post", "delete", "patch")


@cache
def document(prefix: str = PREFIX) -> dict[str, Any]:
    """The whole document, as `/api/v1/openapi.json` has it, or that of another prefix."""
    from ninja.responses import NinjaJSONEncoder

    from config.api import api
    from openai_api.api import api as openai_api

    of = {PREFIX: api, OPENAI: openai_api}[prefix]
    made = json.dumps(of.get_openapi_schema(), cls=NinjaJSONEncoder)
    return dict(json.loads(made))


def operations(prefix: str = PREFIX) -> Iterator[tuple[str, dict[str, Any]]]:
    """`"GET /jobs/{job_id}"` and the operation, for each."""
    for path, item in document(prefix)["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path.removeprefix(prefix)}", item[method]


def complaints(schema: dict[str, Any], value: Any, prefix: str = PREFIX) -> list[str]:
    """What is wrong with the value by a schema of the document."""
    whole = Resource(contents=document(prefix), specification=DRAFT202012)
    registry: Any = Registry().with_resource("urn:document", whole)
    validator = Draft202012Validator(
        _absolute(schema), registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [error.message for error in validator.iter_errors(value)]


def _absolute(schema: Any) -> Any:
    """References out of the document, which the schema is taken from."""
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" else _absolute(value)
            for key, value in schema.items()
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def names() -> list[str]:
    return [name for name, _ in operations()]
