"""The aligner `local-llm` by its name: a real model, parsing, and the bounds of belief."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import AttributeDraw, Concept, Label
from ethical_lens.text.aligner import AlignmentError, UnreadableReply
from ethical_lens.text.choose import load_aligner, scrutinise_with
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.errors import LlmNotConfigured
from ethical_lens.text.llm.local.model import LocalChatModel
from ethical_lens.text.llm.schema import ScrutinyReply, parse
from ethical_lens.text.llm.templates import SCRUTINY
from ethical_lens.text.rules import RuleAligner

POLICY = Policy()
UNSAFE = ["a naked woman on a bed", "a school shooting", "a nude child", "a propaganda poster"]
DOCTOR = "a doctor in an office"


def test_nonsense_of_the_right_shape_never_passes_what_the_rules_find(
    model: LocalChatModel,
) -> None:
    """The model answers in the shape of the schema, and is not believed for that."""
    aligner = LlmAligner("local-llm", model, 16)
    for prompt in UNSAFE:
        user = json.dumps({"prompt": prompt, "negative_prompt": ""})
        parse(model.complete(SCRUTINY.system, user, "scrutiny", SCRUTINY.schema), ScrutinyReply)
        with pytest.raises(UnreadableReply):
            aligner.scrutinise(prompt, "", POLICY)
        found, judge = scrutinise_with((aligner, RuleAligner()), prompt, "", POLICY)
        assert judge.name == "rules"
        assert found.toxicity is not Label.K0
    with pytest.raises(AlignmentError, match="local-llm: "):
        scrutinise_with((aligner,), UNSAFE[0], "", POLICY)


def test_nonsense_is_no_merged_prompt_and_no_revision(model: LocalChatModel) -> None:
    aligner = LlmAligner("local-llm", model, 16)
    verdict = RuleAligner().scrutinise(DOCTOR, "", POLICY)
    draws = ((AttributeDraw(cluster=0, gender="female"),),)
    with pytest.raises(UnreadableReply):
        aligner.merge(verdict, draws, POLICY)
    with pytest.raises(UnreadableReply):
        aligner.revise(DOCTOR, frozenset({Concept.NSFW}), POLICY)


def test_it_is_there_by_name(monkeypatch: pytest.MonkeyPatch, chat_folder: Path) -> None:
    monkeypatch.setenv("LOCAL_LLM_MODEL", str(chat_folder))
    monkeypatch.setenv("LOCAL_LLM_DEVICE", "cpu")
    aligner = load_aligner("local-llm")
    assert aligner.name == "local-llm"
    assert f"{chat_folder}@sha256:" in aligner.version


def test_the_published_format_runs_here_too(
    monkeypatch: pytest.MonkeyPatch, chat_folder: Path
) -> None:
    """Plumbing: random weights do not know the format, so there is no verdict."""
    monkeypatch.setenv("LOCAL_LLM_MODEL", str(chat_folder))
    monkeypatch.setenv("LOCAL_LLM_FORMAT", "text-scrutiny")
    monkeypatch.setenv("LOCAL_LLM_MAX_NEW_TOKENS", "32")
    aligner = load_aligner("local-llm")
    with pytest.raises(UnreadableReply):
        aligner.scrutinise(DOCTOR, "", POLICY)


def test_without_a_model_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, load: Callable[..., LocalChatModel]
) -> None:
    monkeypatch.delenv("LOCAL_LLM_MODEL", raising=False)
    with pytest.raises(LlmNotConfigured, match="LOCAL_LLM_MODEL is missing"):
        load_aligner("local-llm")


@pytest.mark.parametrize("package", ["torch", "llguidance"])
def test_without_a_package_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, chat_folder: Path, package: str
) -> None:
    monkeypatch.setenv("LOCAL_LLM_MODEL", str(chat_folder))
    for name in [n for n in sys.modules if n.startswith("ethical_lens.text.llm.local.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LlmNotConfigured, match=rf"{package} is not installed.*\[models,local-llm"):
        load_aligner("local-llm")
