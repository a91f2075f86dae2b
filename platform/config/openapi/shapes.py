"""How an API words its problems: `/api/v1` as RFC 9457 has it, others as their clients expect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.openapi.problems import KINDS, MEDIA_TYPE, SCHEMA, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Every answer with a problem has the component `name` with this `schema`.

    `kinds` has the problems there are, by the names that routes call them. `status` and `example`
    are those of one, which the example says of a path; `narrowed` is what the schema of one status
    says beyond `schema`, from the status and its codes. `marks_replays`: a repetition that gets a
    kept answer is told so.
    """

    name: str
    media_type: str
    schema: Mapping[str, Any]
    kinds: Mapping[str, Kind]
    status: Callable[[Kind], int]
    example: Callable[[Kind, str], Mapping[str, Any]]
    narrowed: Callable[[int, Sequence[str]], Mapping[str, Any]]
    marks_replays: bool


PROBLEM: Final = Shape(
    name="Problem",
    media_type=MEDIA_TYPE,
    schema=SCHEMA,
    kinds=KINDS,
    status=lambda kind: kind.status,
    example=lambda kind, path: kind.example(path),
    narrowed=lambda status, codes: {
        "properties": {"status": {"const": status}, "code": {"enum": list(codes)}}
    },
    marks_replays=True,
)
