"""The document of the API and its operations, for tests that go through all of them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

PREFIX = "/api/v1"
METHODS = ("get", "put", "post", "delete", "patch")


@cache
def document() -> dict[str, Any]:
    """The whole document, as `/api/v1/openapi.json` has it."""
    import json

    from django.test import Client

    response = Client().get(f"{PREFIX}/openapi.json")
    assert response.status_code == 200
    return dict(json.loads(response.content))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """`"GET /jobs/{job_id}"` and the operation, for each."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path.removeprefix(PREFIX)}", item[method]


def names() -> list[str]:
    return [name for name, _ in operations()]
