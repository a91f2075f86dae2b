"""The document of the API and its operations, for tests that go through all of them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

PREFIX = "/api/v1"
METHODS = ("get", "put", "post", "delete", "patch")


@cache
def document() -> dict[str, Any]:
    """The whole document, as `/api/v1/openapi.json` has it."""
    from ninja.responses import NinjaJSONEncoder

    from config.api import api

    made = json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder)
    return dict(json.loads(made))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """`"GET /jobs/{job_id}"` and the operation, for each."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path.removeprefix(PREFIX)}", item[method]


def names() -> list[str]:
    return [name for name, _ in operations()]
