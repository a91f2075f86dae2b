"""A diff that leads from one prompt to the other, and says why."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethical_lens.policy import Policy
from ethical_lens.results import AttributeDraw, Factor, LifeStage, TextEdit
from ethical_lens.text.choose import scrutinise_with
from ethical_lens.text.edits import DIFFERING, GRAMMAR, WORDED_ANEW, merge_edits, rewrite_edits
from ethical_lens.text.rules import RuleAligner

POLICY = Policy()
RULES = RuleAligner()


def words_after(before: str, edits: Iterable[TextEdit]) -> list[str]:
    for edit in sorted(edits, key=lambda e: -e.start):
        assert before[edit.start : edit.end] == edit.before
        before = f"{before[: edit.start]} {edit.after} {before[edit.end :]}"
    return before.split()


_WORDS = st.lists(st.sampled_from(["a", "bloody", "red", "cat,", "dog.", "sits"]), max_size=8)


@settings(deadline=None)  # the first look loads the lexicon
@given(_WORDS, _WORDS)
def test_the_edits_lead_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    verdict, _ = scrutinise_with([RULES], "a cat", "", POLICY)
    edits = rewrite_edits(" ".join(before), " ".join(after), verdict)
    assert words_after(" ".join(before), edits) == after
    assert (before == after) == (edits == ())


def test_a_rewrite_says_which_factor_took_out_which_words() -> None:
    prompt = "a bloody fight of two nude women at the beach"
    verdict, _ = scrutinise_with([RULES], prompt, "clothes, blurry", POLICY)
    assert words_after(prompt, verdict.edits) == verdict.prompt.split()
    by_factor = {factor: edit.before for edit in verdict.edits for factor in edit.factors}
    assert "nude" in by_factor[Factor.SEXUAL]
    assert "bloody" in by_factor[Factor.SHOCKING]
    assert any("sexual content" in edit.reason for edit in verdict.edits)
    assert [edit.before for edit in verdict.negative_edits] == ["clothes,"]


def test_a_safe_prompt_has_no_edits() -> None:
    verdict, _ = scrutinise_with([RULES], "a lighthouse on a cliff", "", POLICY)
    assert verdict.edits == verdict.negative_edits == ()


@pytest.mark.parametrize("round", [1, 2])
def test_what_was_drawn_is_told_from_what_was_worded_anew(round: int) -> None:
    draw = AttributeDraw(cluster=0, gender="female", race="Asian", age=LifeStage.OLD_AGE)
    after = "an elderly Asian female doctor in an office, peaceful scene"
    edits = merge_edits("a doctor in an office", after, [draw], round=round)
    assert words_after("a doctor in an office", edits) == after.split()
    reasons = {edit.after: edit.reason for edit in edits}
    assert reasons["an elderly Asian female"] == "drawn: old age, Asian, female"
    (rest,) = [reason for text, reason in reasons.items() if "peaceful" in text]
    assert rest == (WORDED_ANEW if round == 2 else "drawn: old age, Asian, female")


def test_groups_and_grammar_have_reasons_of_their_own() -> None:
    (edit,) = merge_edits("two doctors", "two doctors, half men and half women", [], round=1)
    assert (edit.before, edit.reason) == ("doctors", DIFFERING)
    (edit,) = merge_edits("a old man", "an old man", [], round=1)
    assert edit.reason == GRAMMAR
