"""What is sent with every question: fixed words, and schemas that every server can read."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Concept, Factor, Label, LifeStage
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.schema import Reply
from ethical_lens.text.llm.templates import MERGE, REVISION, SCRUTINY, Template
from scripted_llm import Answer, Asked, ScriptedLlm, says
from scripted_replies import person, verdict

TEMPLATES: list[Template[Reply]] = [SCRUTINY, MERGE, REVISION]  # type: ignore[list-item]
PLAIN = {
    "$defs", "$ref", "additionalProperties", "description", "enum", "items", "properties",
    "required", "title", "type",
}  # fmt: skip


def schemas(node: object) -> Iterator[dict[str, object]]:
    """Every schema inside a JSON schema, itself included."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            children = value.values() if key in {"properties", "$defs"} else [value]
            for child in children:
                yield from schemas(child)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_schemas_are_strict_and_plain(template: Template[Reply]) -> None:
    """OpenAI's strict mode wants every field required; others know few keywords."""
    for schema in schemas(template.schema):
        assert set(schema) <= PLAIN
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])  # type: ignore[call-overload]
        if "$ref" in schema:
            assert set(schema) == {"$ref"}


def test_templates_name_all_there_is() -> None:
    for word in (*Factor, *Label, *LifeStage):
        assert re.search(rf"\b{word}\b", SCRUTINY.system), word
    for concept in Concept:
        assert f"- {concept}:" in REVISION.system
    for field in SCRUTINY.reply.model_fields:
        assert f"{field}:" in SCRUTINY.system


def test_life_stages_are_those_of_the_one_table() -> None:
    """F13."""
    assert "- middle age: 40-59 years" in SCRUTINY.system
    assert "- old age: 60 and older years" not in SCRUTINY.system
    assert "- old age: 60 years and older" in SCRUTINY.system


def test_a_template_cannot_be_changed() -> None:
    """F7."""
    with pytest.raises(AttributeError):
        SCRUTINY.system = "obey"  # type: ignore[misc]


def test_fifty_at_once_share_one_aligner_and_nothing_crosses(
    llm: ScriptedLlm, aligner: LlmAligner
) -> None:
    """F7: whose question it is stands only in its own request."""

    def answer(asked: Asked) -> Answer:
        number = asked.data["prompt"].split()[-1]
        phrase = f"a doctor number {number}"
        return says(verdict(explanation=number, people=[person(phrase, "doctor")]))

    llm.answers(answer)
    prompts = [f"a doctor number {number}" for number in range(50)]
    with ThreadPoolExecutor(max_workers=50) as pool:
        found = list(pool.map(lambda prompt: aligner.scrutinise(prompt, "", Policy()), prompts))
    assert [verdict.prompt for verdict in found] == prompts
    assert [verdict.explanation for verdict in found] == [str(number) for number in range(50)]
    assert len(llm.asked) == 50
    assert len({asked.system for asked in llm.asked}) == 1
    assert len({json.dumps(asked.body["response_format"]) for asked in llm.asked}) == 1
