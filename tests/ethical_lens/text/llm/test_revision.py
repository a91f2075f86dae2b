"""A new wording after a picture showed what it must not."""

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.text.aligner import (
    AlignmentError,
    Unfit,
    UnreadablePrompt,
    UnreadableReply,
)
from ethical_lens.text.choose import revise_with
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.rules import RuleAligner
from scripted_llm import Answer, ScriptedLlm, says

POLICY = Policy()
PROMPT = "a woman on a beach"
CALM = "a woman in a long coat on a beach"
BARE = frozenset({Concept.NUDE, Concept.NSFW})


def test_one_call_gives_a_new_wording(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompts": [CALM]}))
    assert aligner.revise(PROMPT, BARE, POLICY) == CALM
    (asked,) = llm.asked
    assert asked.data == {"pictures": [{"prompt": PROMPT, "found": ["nsfw", "nude"]}]}


@pytest.mark.parametrize(
    ("revised", "why"),
    [
        (PROMPT, "changes nothing"),
        ("  " + PROMPT + "\n", "changes nothing"),
        ("", "no readable prompt"),
        ("a naked woman on a beach", "unsafe itself"),
        ("a girl on a beach", "under 20"),
        ("Taylor Swift on a beach", "public figure"),
        ("I cannot help with that.", "not about the prompt"),
    ],
)
def test_a_wording_is_judged_like_a_prompt(
    llm: ScriptedLlm, aligner: LlmAligner, revised: str, why: str
) -> None:
    llm.answers(says({"prompts": [revised]}))
    with pytest.raises(UnreadableReply, match=why):
        aligner.revise(PROMPT, BARE, POLICY)


def test_a_child_that_was_there_may_stay(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompts": ["a girl with a kite on a calm beach"]}))
    revised = aligner.revise("a girl on a beach", frozenset({Concept.POLITIC}), POLICY)
    assert revised == "a girl with a kite on a calm beach"


def test_where_there_is_nothing_to_word_anew_nobody_is_asked(
    llm: ScriptedLlm, aligner: LlmAligner
) -> None:
    for prompt, concepts, why in [
        (PROMPT, frozenset[Concept](), "no concept"),
        ("a school shooting", BARE, "not fit"),
        ("a nude child", BARE, "not fit"),
    ]:
        with pytest.raises(AlignmentError, match=why):
            aligner.revise(prompt, concepts, POLICY)
    with pytest.raises(UnreadablePrompt):
        aligner.revise("裸の女性", BARE, POLICY)
    assert llm.asked == []


def test_no_failure_is_a_wording(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    for step in (Answer(status=500), says("a woman"), says({"prompt": CALM})):
        llm.answers(step)
        with pytest.raises(AlignmentError):
            aligner.revise(PROMPT, BARE, POLICY)


class TestTogether:
    """All pictures of a job that are painted again cost one call."""

    PARK = "a man in a park"
    BOTH = (Unfit(PROMPT, BARE), Unfit(PARK, frozenset({Concept.POLITIC})))

    def test_one_call_for_all(self, llm: ScriptedLlm, aligner: LlmAligner) -> None:
        llm.answers(says({"prompts": [CALM, "a man reading in a quiet park"]}))
        found = aligner.revise_together(self.BOTH, POLICY)
        assert found == [CALM, "a man reading in a quiet park"]
        (asked,) = llm.asked
        assert [one["prompt"] for one in asked.data["pictures"]] == [PROMPT, self.PARK]

    def test_one_that_is_not_believed_costs_the_others_nothing(
        self, llm: ScriptedLlm, aligner: LlmAligner
    ) -> None:
        llm.answers(says({"prompts": ["a naked woman on a beach", "a man in a quiet park"]}))
        refused, believed = aligner.revise_together(self.BOTH, POLICY)
        assert isinstance(refused, UnreadableReply)
        assert believed == "a man in a quiet park"

    def test_one_that_cannot_be_worded_anew_is_not_asked_about(
        self, llm: ScriptedLlm, aligner: LlmAligner
    ) -> None:
        llm.answers(says({"prompts": [CALM]}))
        refused, believed = aligner.revise_together(
            [Unfit("a school shooting", BARE), Unfit(PROMPT, BARE)], POLICY
        )
        assert isinstance(refused, AlignmentError)
        assert believed == CALM
        assert len(llm.asked[0].data["pictures"]) == 1

    @pytest.mark.parametrize("prompts", [[], [CALM], [CALM] * 3])
    def test_too_few_or_too_many_are_none(
        self, llm: ScriptedLlm, aligner: LlmAligner, prompts: list[str]
    ) -> None:
        llm.answers(says({"prompts": prompts}))
        with pytest.raises(UnreadableReply, match=f"2 prompts were asked for, {len(prompts)} came"):
            aligner.revise_together(self.BOTH, POLICY)

    def test_what_the_model_does_not_find_the_rules_do(
        self, llm: ScriptedLlm, aligner: LlmAligner
    ) -> None:
        llm.answers(says({"prompts": [CALM, "a naked man in a park"]}))
        rules = RuleAligner()
        found = revise_with([aligner, rules], self.BOTH, POLICY)
        assert found == [CALM, rules.revise(self.PARK, self.BOTH[1].concepts, POLICY)]
        assert len(llm.asked) == 1

    def test_a_model_that_is_away_leaves_all_to_the_rules(
        self, llm: ScriptedLlm, aligner: LlmAligner
    ) -> None:
        llm.answers(Answer(status=400))
        found = revise_with([aligner, RuleAligner()], self.BOTH, POLICY)
        assert all(found)
        assert len(llm.asked) == 1

    def test_nobody_finds_a_wording(self) -> None:
        unfit = [Unfit("a school shooting", BARE)]
        assert revise_with([RuleAligner()], unfit, POLICY) == [None]
