"""What two documents of policies say otherwise, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ethical_lens.policy import Policy


@dataclass(frozen=True, slots=True)
class Difference:
    """A field, as `concepts.nude.threshold`, and what either says; None: nothing."""

    field: str
    before: str | None
    after: str | None


def differences(before: Policy, after: Policy) -> list[Difference]:
    """Where the two differ, in the order of the document; what a document leaves out counts as
    the default it means."""
    old = dict(_leaves(before.model_dump(mode="json")))
    new = dict(_leaves(after.model_dump(mode="json")))
    return [
        Difference(field, old.get(field), new.get(field))
        for field in [*old, *(field for field in new if field not in old)]
        if old.get(field) != new.get(field)
    ]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        shown = sorted(map(str, value)) if path == "diversify" else [str(one) for one in value]
        yield path, ", ".join(shown) or "none"
    else:
        yield path, "not set" if value is None else str(value)
