"""The OpenAPI documents are complete: examples that are true, every problem, headers, links."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config.api import DOCUMENTED
from config.openapi.problems import KINDS, MEDIA_TYPE
from config.openapi.shapes import PROBLEM
from jobs import quotas
from openai_api.examples import DOCUMENTED as OF_OPENAI
from openai_api.kinds import ERROR
from openapi_document import OPENAI, PREFIX, complaints, document, operations

BOTH = pytest.mark.parametrize("prefix", [PREFIX, OPENAI])
SAID = {PREFIX: DOCUMENTED, OPENAI: OF_OPENAI}
SHAPES = {PREFIX: PROBLEM, OPENAI: ERROR}
MAKES = {"POST /jobs", "POST /api-keys", "POST /webhook-endpoints"}
JSON, STREAM = "application/json", "text/event-stream"
STREAMS = {
    "GET /jobs/{job_id}/events": {STREAM},
    "POST /images/generations": {JSON, STREAM},
    "POST /images/edits": {JSON, STREAM},
}
"""What their good answers are; all others are JSON."""
PLATFORM = Path(__file__).resolve().parents[3] / "platform"


def resolved(header: dict[str, Any], prefix: str) -> dict[str, Any]:
    name = header.get("$ref", "").removeprefix("#/components/headers/")
    found: dict[str, Any] = document(prefix)["components"]["headers"][name] if name else header
    return found


def bodies(prefix: str = PREFIX) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything with a schema that is sent or answered, and where it is."""
    for name, operation in operations(prefix):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} < {media}", content
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {}).items():
                yield f"{name} {status} > {media}", content


@BOTH
def test_every_route_is_documented_and_nothing_else(prefix: str) -> None:
    """A new route needs an entry in its app's `examples.py`."""
    assert set(SAID[prefix]) == {name for name, _ in operations(prefix)}
    assert document(prefix)["openapi"].startswith("3.1")


@BOTH
def test_every_body_has_examples_and_they_are_valid(prefix: str) -> None:
    checked = 0
    for where, content in bodies(prefix):
        assert content.get("examples"), f"{where} has no example"
        for name, example in content["examples"].items():
            assert not complaints(content["schema"], example["value"], prefix), f"{where}, {name}"
            checked += 1
    assert checked > (200 if prefix == PREFIX else 60)


def test_the_check_of_examples_can_fail() -> None:
    (content,) = [c for where, c in bodies() if where.startswith("GET /jobs/{job_id} 200")]
    example = dict(content["examples"]["succeeded"]["value"])
    assert complaints(content["schema"], example | {"status": "painted"})
    assert complaints(content["schema"], example | {"id": "7"})
    del example["urls"]
    assert complaints(content["schema"], example)


@BOTH
def test_every_operation_lists_what_it_may_answer(prefix: str) -> None:
    for name, operation in operations(prefix):
        statuses = set(operation["responses"])
        expected = {"400", "401", "403", "429", "500"}
        if "requestBody" in operation:
            expected |= {"413"} | ({"422"} if prefix == PREFIX else set())
        if "{" in name:
            expected |= {"404"}
        assert expected <= statuses, name
        good = {status for status in statuses if status.startswith("2")}
        assert good == {str(status) for status in SAID[prefix][name].answers}, name
        for status, response in operation["responses"].items():
            answered = STREAMS.get(name, {JSON}) if status in good else {SHAPES[prefix].media_type}
            body = set() if status == "204" else answered
            assert set(response.get("content", ())) == body, (name, status)
            headers = {key: resolved(value, prefix) for key, value in response["headers"].items()}
            assert headers["X-Request-Id"]["required"], (name, status)
            required = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
            if status in required:
                assert headers[required[status]]["required"], (name, status)
            if status in good | {"404", "422", "429"}:
                assert {"RateLimit", "RateLimit-Policy"} <= set(headers), (name, status)
            if name in MAKES and status in good:
                assert "Location" in headers, name
            if name == "POST /jobs" and status in good:
                assert {"Idempotency-Replayed", "Preference-Applied"} <= set(headers)


def test_every_problem_has_an_example_somewhere() -> None:
    shown = set()
    for where, content in bodies():
        if MEDIA_TYPE in where:
            shown |= set(content["examples"])
    elsewhere = document()["components"]["responses"]["MethodNotAllowed"]["content"][MEDIA_TYPE]
    assert shown | set(elsewhere["examples"]) == set(KINDS)


@BOTH
def test_examples_of_headers_are_valid(prefix: str) -> None:
    for name, header in document(prefix)["components"]["headers"].items():
        assert not complaints(header["schema"], header["example"]), name


@BOTH
def test_no_constraint_is_lost_in_the_schema(prefix: str) -> None:
    """Pydantic writes bounds that it cannot place under its own names, which mean nothing."""
    text = json.dumps(document(prefix))
    for lost in ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length"):
        assert f'"{lost}": ' not in text, lost


@BOTH
def test_every_route_wants_the_one_kind_of_key(prefix: str) -> None:
    assert list(document(prefix)["components"]["securitySchemes"]) == ["APIKeyAuth"]
    for name, operation in operations(prefix):
        assert operation["security"] == [{"APIKeyAuth": []}], name


def test_bounds_are_in_the_schema() -> None:
    made = document(OPENAI)["components"]["schemas"]["PicturesIn"]["properties"]
    assert (made["n"]["minimum"], made["n"]["maximum"]) == (1, 10)
    job = document()["components"]["schemas"]["JobIn"]["properties"]
    assert job["width"]["anyOf"][0] == {
        "type": "integer", "minimum": 64, "maximum": 1024, "multipleOf": 8
    }  # fmt: skip


def test_links_lead_to_operations_with_their_parameters() -> None:
    targets = {operation["operationId"]: name for name, operation in operations()}
    links = [
        (name, title, link)
        for name, operation in operations()
        for response in operation["responses"].values()
        for title, link in response.get("links", {}).items()
    ]
    assert len(links) > 20
    for name, title, link in links:
        wanted = set(re.findall(r"{(\w+)}", targets[link["operationId"]]))
        assert set(link["parameters"]) == wanted, (name, title)
    assert {name for name, _, _ in links} >= MAKES


def _raised() -> Iterator[tuple[int, str, str]]:
    """Status, code and title of every `Problem(…)` in the source that names them."""
    for file in PLATFORM.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"):
                continue
            values = [arg.value for arg in node.args[:3] if isinstance(arg, ast.Constant)]
            if len(values) == 3:
                yield values[0], values[1], values[2]  # type: ignore[misc]
    for kind in quotas.QuotaExceeded.__subclasses__():
        yield kind.status, kind.code, kind.title


def test_the_table_of_problems_is_that_of_the_code() -> None:
    raised = set(_raised())
    listed = {(kind.status, kind.code, kind.title) for kind in KINDS.values()}
    assert listed == raised


def test_every_problem_is_in_the_docs() -> None:
    page = (PLATFORM.parent / "docs" / "api.md").read_text()
    assert [code for code in KINDS if f"`{code}`" not in page] == []


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("DELETE", "/api/v1/jobs", "method_not_allowed"), ("GET", "/api/v1/nope", "no_such_route")],
)
def test_what_no_route_answers_is_a_problem(method: str, path: str, code: str) -> None:
    response: Any = Client().generic(method, path)
    assert response["Content-Type"] == MEDIA_TYPE
    assert response.json()["code"] == code
    assert ("Allow" in response) == (code == "method_not_allowed")


def test_a_host_that_is_not_ours_is_a_problem() -> None:
    response: Any = Client(raise_request_exception=False).get(
        "/api/v1/nope/", headers={"Host": "elsewhere.example"}
    )
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
