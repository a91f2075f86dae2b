"""Completes Ninja's document: problems of every operation, headers, examples, links."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from config.openapi.documented import Documented, Link
from config.openapi.headers import HEADERS, header
from config.openapi.problems import KINDS, Kind, kinds_of
from config.openapi.shapes import Shape

METHODS: Final = ("get", "put", "post", "delete", "patch")
KEY_SCHEME: Final = "APIKeyAuth"
_COMMON: Final = ("X-Request-Id", "RateLimit-Policy", "RateLimit")


def document_complete(
    document: dict[str, Any], documented: Mapping[str, Documented], *, prefix: str, shape: Shape
) -> None:
    """Add to the document, in place, what `documented` says by `"POST /jobs"`.

    An operation that nobody documented gets its problems and headers all the same.
    """
    components = document["components"]
    components["schemas"][shape.name] = shape.schema
    # One and the same key, whatever else an authentication of ours does.
    components["securitySchemes"] = {KEY_SCHEME: components["securitySchemes"][KEY_SCHEME]}
    components["headers"] = HEADERS
    components["responses"] = {
        # Of no operation: what an address answers to methods that it has not.
        "MethodNotAllowed": _problem_response(405, [KINDS["method_not_allowed"]], prefix, shape)
    }
    operations = {
        f"{method.upper()} {path.removeprefix(prefix)}": (path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
    ids = {name: operation["operationId"] for name, (_, operation) in operations.items()}
    for name, (path, operation) in operations.items():
        own = documented.get(name)
        _complete(operation, own, ids)
        if shape.marks_replays:
            _mark_replays(operation)
        _add_problems(operation, path, own, shape)


def _complete(operation: dict[str, Any], own: Documented | None, ids: Mapping[str, str]) -> None:
    operation["security"] = [{KEY_SCHEME: []}]
    for status, response in operation["responses"].items():
        response["headers"] = {name: header(name) for name in _COMMON}
        if own is not None:
            _describe(response, own, own.answers.get(int(status), {}), ids)
    for parameter in operation["parameters"]:
        parameter["schema"] = _not_null(parameter["schema"])
    if own is not None and own.request:
        for content in operation["requestBody"]["content"].values():
            content["examples"] = _examples(own.request)


def _mark_replays(operation: dict[str, Any]) -> None:
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]):
        for response in operation["responses"].values():
            response["headers"]["Idempotency-Replayed"] = header("Idempotency-Replayed")


def _add_problems(
    operation: dict[str, Any], path: str, own: Documented | None, shape: Shape
) -> None:
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds_of(operation, own.problems if own else (), shape.kinds):
        by_status.setdefault(shape.status(kind), []).append(kind)
    for status, kinds in sorted(by_status.items()):
        operation["responses"][str(status)] = _problem_response(status, kinds, path, shape)


def _describe(
    response: dict[str, Any], own: Documented, examples: Mapping[str, Any], ids: Mapping[str, str]
) -> None:
    for content in response.get("content", {}).values():
        content.setdefault("examples", _examples(examples))
    for name in own.headers:
        response["headers"][name] = header(name)
    if own.links and "content" in response:
        response["links"] = {name: _link(link, ids) for name, link in own.links.items()}


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Of a parameter, which is left out and never null."""
    match schema:
        case {"anyOf": [dict(some), {"type": "null"}], **rest}:
            return {**some, **rest}
    return schema


def _link(link: Link, ids: Mapping[str, str]) -> dict[str, Any]:
    shown = {"operationId": ids[link.to], "parameters": dict(link.parameters)}
    return shown | ({"description": link.description} if link.description else {})


def _problem_response(status: int, kinds: list[Kind], path: str, shape: Shape) -> dict[str, Any]:
    names = ["X-Request-Id"]
    names += _COMMON[1:] if status not in {401, 500} else ()
    names += ["Allow"] if status == HTTPStatus.METHOD_NOT_ALLOWED else []
    names += ["WWW-Authenticate"] if status == HTTPStatus.UNAUTHORIZED else []
    headers: dict[str, Any] = {name: header(name) for name in names}
    if any(kind.retry_after for kind in kinds):
        always = all(kind.retry_after for kind in kinds)
        headers["Retry-After"] = HEADERS["Retry-After"] | {"required": always}
    return {
        "description": "; ".join(dict.fromkeys(kind.title for kind in kinds)),
        "headers": headers,
        "content": {
            shape.media_type: {
                "schema": {
                    "allOf": [
                        {"$ref": f"#/components/schemas/{shape.name}"},
                        shape.narrowed(status, [kind.code for kind in kinds]),
                    ]
                },
                "examples": _examples({kind.code: shape.example(kind, path) for kind in kinds}),
            }
        },
    }


def _examples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}
