"""Documents of policies as people write them: read, or told field by field what is wrong."""

import json
from typing import Any, Final

from django.conf import settings
from pydantic import ValidationError

from ethical_lens.policy import Policy as PolicyDocument
from moderation.models import Policy

ALIGNERS: Final = ("rules", "llm", "local-llm")
"""The names that `ethical_lens.text.choose` knows, which needs more than this process may load."""


class DocumentRefused(ValueError):
    """The document is no policy. `problems`: a line each, with field, fault and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def document_read(document: Any) -> PolicyDocument:
    """The policy that a document says. Raises `DocumentRefused`."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:  # NaN, or half a surrogate pair
        raise DocumentRefused([f"This cannot be stored: {error}."]) from None
    if "\\u0000" in text:
        raise DocumentRefused(["This cannot be stored: it holds a null character."])
    try:
        policy = PolicyDocument.model_validate(document)
    except ValidationError as error:
        raise DocumentRefused([_told(problem) for problem in error.errors()]) from None
    if unknown := [*_unknown(policy)]:
        raise DocumentRefused(unknown)
    return policy


def newest_document(policy: Policy | None) -> dict[str, Any]:
    """What a new draft starts from: the policy's last version, or the published constants."""
    last = policy.versions.order_by("-number").first() if policy else None
    document = last.parsed if last is not None else PolicyDocument()
    return document.model_dump(mode="json")


def _told(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "document"
    said = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error" and field == "document":
        return said  # the rules over several fields name theirs
    if problem["type"] == "extra_forbidden":
        known = PolicyDocument.model_fields
        hint = f"; the fields are {', '.join(known)}" if len(problem["loc"]) == 1 else ""
        return f"{field}: {said}: take it out{hint}"
    if problem["type"] == "missing":
        return f"{field}: it is missing: add it"
    given = problem.get("input")
    shown = f" (it is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{field}: {said}{shown}"


def _unknown(policy: PolicyDocument) -> list[str]:
    named = {
        "aligners": (policy.aligners, ALIGNERS),
        "models": (policy.models or (), tuple(settings.DIFFUSION_MODELS)),
        "loras": (policy.loras, tuple(settings.LORAS)),
    }
    return [
        f"{field}: {name!r} is not known here; name one of {', '.join(known) or 'none'}"
        for field, (names, known) in named.items()
        for name in names
        if name not in known
    ]
