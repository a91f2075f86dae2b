"""Aligners by name, and falling back from one to the next without ever passing unjudged."""

from collections.abc import Sequence

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Alignment, AttributeDraw, Concept, Label, TextVerdict
from ethical_lens.text.aligner import (
    AlignmentError,
    PromptAligner,
    UnreadablePrompt,
    UnreadableReply,
)
from ethical_lens.text.choose import load_aligner, load_aligners, scrutinise_with
from ethical_lens.text.rules import RuleAligner

POLICY = Policy()


class Failing:
    """An aligner whose model gives nothing usable."""

    name = "failing"
    version = "1"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def scrutinise(self, prompt: str, negative_prompt: str, policy: Policy) -> TextVerdict:
        raise self.error

    def merge(
        self, verdict: TextVerdict, draws: Sequence[Sequence[AttributeDraw]], policy: Policy
    ) -> Alignment:
        raise self.error

    def revise(self, prompt: str, concepts: frozenset[Concept], policy: Policy) -> str:
        raise self.error


def test_the_rules_are_there_by_name_and_are_an_aligner() -> None:
    aligner: PromptAligner = load_aligner("rules")
    assert isinstance(aligner, RuleAligner)
    assert aligner.name == "rules"
    assert [a.name for a in load_aligners(POLICY)] == ["rules"]


def test_an_unknown_name_says_so() -> None:
    with pytest.raises(AlignmentError, match=r"'oracle'.*rules"):
        load_aligner("oracle")
    with pytest.raises(AlignmentError):
        load_aligners(Policy(aligners=("rules", "oracle")))


def test_the_next_one_is_tried_and_named() -> None:
    rules = RuleAligner()
    failing = Failing(UnreadableReply("not JSON"))
    verdict, judge = scrutinise_with((failing, rules), "a nude child", "", POLICY)
    assert judge is rules
    assert verdict.toxicity is Label.K3


def test_the_first_verdict_counts() -> None:
    rules = RuleAligner()
    _, judge = scrutinise_with((rules, Failing(AlignmentError("asked"))), "a cat", "", POLICY)
    assert judge is rules


def test_where_nobody_can_judge_nothing_passes() -> None:
    """F1: never K0 by default."""
    aligners = (Failing(UnreadableReply("not JSON")), RuleAligner())
    with pytest.raises(AlignmentError, match=r"not JSON.*rules:"):
        scrutinise_with(aligners, "裸の女性", "", POLICY)
    with pytest.raises(AlignmentError):
        scrutinise_with((), "a cat", "", POLICY)


def test_a_defect_is_not_mistaken_for_an_opinion() -> None:
    with pytest.raises(ZeroDivisionError):
        scrutinise_with((Failing(ZeroDivisionError()), RuleAligner()), "a cat", "", POLICY)


def test_unreadable_is_an_alignment_error() -> None:
    assert issubclass(UnreadablePrompt, AlignmentError)
