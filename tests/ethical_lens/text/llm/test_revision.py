"""A new wording after a picture showed what it must not."""

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Concept
from ethical_lens.text.aligner import AlignmentError, UnreadablePrompt, UnreadableReply
from ethical_lens.text.llm.aligner import LlmAligner
from scripted_llm import Answer, ScriptedLlm, says

POLICY = Policy()
PROMPT = "a woman on a beach"
CALM = "a woman in a long coat on a beach"
BARE = frozenset({Concept.NUDE, Concept.NSFW})


def test_one_call_gives_a_new_wording(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompt": CALM}))
    assert aligner.revise(PROMPT, BARE, POLICY) == CALM
    (asked,) = llm.asked
    assert asked.data == {"prompt": PROMPT, "found": ["nsfw", "nude"]}


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
    llm.answers(says({"prompt": revised}))
    with pytest.raises(UnreadableReply, match=why):
        aligner.revise(PROMPT, BARE, POLICY)


def test_a_child_that_was_there_may_stay(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompt": "a girl with a kite on a calm beach"}))
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
    for step in (Answer(status=500), says("a woman"), says({"prompts": [CALM]})):
        llm.answers(step)
        with pytest.raises(AlignmentError):
            aligner.revise(PROMPT, BARE, POLICY)
