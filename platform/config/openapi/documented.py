"""What an app says of its routes beyond what their types tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go on with what an answer holds.

    `to` is an operation as `"GET /jobs/{job_id}"`; `parameters` are its path parameters, as
    runtime expressions of OpenAPI (`$response.body#/id`).
    """

    to: str
    parameters: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """Examples of one operation, its own problems, links and headers of its good answers.

    `request` has examples by name, `answers` those of each good status: none where it has no body.
    Links stand at every good answer with a body, headers at every good answer.
    """

    answers: Mapping[int, Mapping[str, Any]]
    request: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
