"""Draws merged by the model: one call whatever n is, and no prompt that lost something."""

import random
from collections.abc import Sequence

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    Attribute,
    AttributeDraw,
    Factor,
    Label,
    LifeStage,
    TextVerdict,
)
from ethical_lens.text.aligner import AlignmentError, UnreadableReply
from ethical_lens.text.deck import draw_pictures
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.people import find_clusters
from scripted_llm import Answer, Asked, Json, ScriptedLlm, says
from scripted_replies import factors, person, verdict

POLICY = Policy()
DOCTOR = "a doctor in an office"
OLD, YOUNG, CHILD = LifeStage.OLD_AGE, LifeStage.YOUNG_ADULTHOOD, LifeStage.CHILDHOOD
WOMAN = AttributeDraw(cluster=0, gender="female", race="Asian", age=OLD)
MAN = AttributeDraw(cluster=0, gender="male", race="Latino-Hispanic", age=YOUNG)
MERGED = "an elderly Asian female doctor in an office"
MERGED_MAN = "a young Latino male doctor in an office"


def judged(prompt: str, **values: object) -> TextVerdict:
    return TextVerdict.model_validate(
        {
            "labels": {Label.K0},
            "score": 0.0,
            "explanation": "Safe.",
            "prompt": prompt,
            "clusters": find_clusters(prompt),
            **values,
        }
    )


def merge(
    aligner: LlmAligner, prompt: str, *draws: Sequence[AttributeDraw], policy: Policy = POLICY
) -> list[str]:
    found = aligner.merge(judged(prompt), draws, policy)
    return [picture.prompt for picture in found.pictures]


def by_the_words(asked: Asked) -> Answer:
    """What a model does that puts the words given right before the noun."""
    if "people" not in asked.data:
        return says(verdict(people=[person("a doctor", "doctor")]))
    prompts = []
    for (given,) in asked.data["pictures"]:
        words = given["give"]
        prompts.append(f"a {words['age']} {words['race']} {words['gender']} doctor in an office")
    return says({"prompts": prompts})


@pytest.mark.parametrize("n", [1, 4, 8])
def test_a_job_is_two_calls_whatever_n_is(llm: ScriptedLlm, aligner: LlmAligner, n: int) -> None:
    llm.answers(by_the_words)
    found = aligner.scrutinise(DOCTOR, "", POLICY)
    draws, _ = draw_pictures({}, found, POLICY, n, random.Random(3))
    alignment = aligner.merge(found, draws, POLICY)
    assert len(llm.asked) == 2
    assert [picture.draws for picture in alignment.pictures] == list(draws)
    assert len({picture.prompt for picture in alignment.pictures}) == n


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a lighthouse on a cliff", "a lighthouse on a cliff"),
        ("an old Asian female doctor", "an old Asian female doctor"),
        (
            "two doctors",
            "two doctors, half men and half women, of a mix of ethnicities and ages",
        ),
    ],
)
def test_where_nothing_is_drawn_nobody_is_asked(
    llm: ScriptedLlm, aligner: LlmAligner, prompt: str, expected: str
) -> None:
    """F18: still n prompts."""
    assert merge(aligner, prompt, (), (), ()) == [expected] * 3
    assert llm.asked == []


def test_a_blocked_prompt_has_no_pictures(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    blocked = judged(DOCTOR, labels={Label.K3}, factors={Factor.VIOLENCE}, clusters=())
    assert aligner.merge(blocked, ((), ()), POLICY) == Alignment(verdict=blocked)
    assert llm.asked == []


def test_what_is_asked(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    prompt = "a doctor meets two chefs in an office"
    llm.answers(
        says({"prompts": ["an elderly Asian female doctor meets two chefs, mixed, in an office"]})
    )
    merge(aligner, prompt, (WOMAN,))
    (asked,) = llm.asked
    give = {"gender": "female", "race": "Asian", "age": "elderly"}
    mix = ["half men and half women", "ethnicities", "ages"]
    assert asked.data == {
        "prompt": prompt,
        "people": ["a doctor", "two chefs"],
        "pictures": [[{"phrase": "a doctor", "give": give}, {"phrase": "two chefs", "mix": mix}]],
    }
    assert prompt not in asked.system


def test_groups_mix_what_the_policy_says_and_adults_beside_sexual_content(
    llm: ScriptedLlm, aligner: LlmAligner
) -> None:
    def pictures() -> list[list[Json]]:
        return list(llm.asked[-1].data["pictures"])

    llm.answers(says({"prompts": ["a female dancer and two singers"]}))
    draws = ((AttributeDraw(cluster=0, gender="female"),),)
    found = judged("a dancer and two singers", labels={Label.K2}, factors={Factor.SEXUAL})
    aligner.merge(found, draws, POLICY)
    assert pictures()[0][1]["mix"] == ["half men and half women", "ethnicities", "adult ages"]
    aligner.merge(found, draws, Policy(diversify=frozenset({Attribute.GENDER})))
    assert pictures()[0][1]["mix"] == ["half men and half women"]
    draws = ((*draws[0], AttributeDraw(cluster=1, gender="male"), AttributeDraw(cluster=1)),)
    with pytest.raises(UnreadableReply):  # the reply says nothing of a man
        aligner.merge(found, draws, Policy(diversify=frozenset({Attribute.GENDER})))
    draws = ((*draws[0][:2], AttributeDraw(cluster=1, gender="female")),)
    llm.answers(says({"prompts": ["a female dancer and two singers, one man and one woman"]}))
    aligner.merge(found, draws, Policy(diversify=frozenset({Attribute.GENDER})))
    assert pictures()[0][1]["mix"] == ["one man and one woman"]


@pytest.mark.parametrize(
    "merged",
    [
        MERGED,
        "An elderly Asian woman doctor in an office.",
        "in an office, an elderly, Asian, female doctor",
    ],
)
def test_wordings_that_keep_everything(llm: ScriptedLlm, aligner: LlmAligner, merged: str) -> None:
    llm.answers(says({"prompts": [merged]}))
    assert merge(aligner, DOCTOR, (WOMAN,)) == [merged]


def test_a_plain_person_may_get_a_noun(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompts": ["an elderly Asian woman in a park"]}))
    assert merge(aligner, "a person in a park", (WOMAN,)) == ["an elderly Asian woman in a park"]


def test_each_picture_has_its_own(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    """F9."""
    llm.answers(says({"prompts": [MERGED, MERGED_MAN]}))
    assert merge(aligner, DOCTOR, (WOMAN,), (MAN,)) == [MERGED, MERGED_MAN]
    llm.answers(says({"prompts": [MERGED, MERGED_MAN]}))
    with pytest.raises(UnreadableReply, match="lost an attribute"):
        merge(aligner, DOCTOR, (MAN,), (WOMAN,))


@pytest.mark.parametrize(
    ("prompts", "why"),
    [
        ([], "2 prompts were asked for, 0 came"),
        ([MERGED], "2 prompts were asked for, 1 came"),
        ([MERGED] * 3, "2 prompts were asked for, 3 came"),
        ([MERGED, ""], "no readable prompt"),
        ([MERGED, "a, of an"], "no readable prompt"),
        ([MERGED, "an elderly Asian woman in an office"], "lost somebody"),
        ([MERGED, "an elderly Asian female doctor"], "lost part of its scene"),
        ([MERGED, "I cannot help with that."], "lost part of its scene"),
        ([MERGED, DOCTOR], "lost an attribute"),
        ([MERGED, "an elderly female doctor in an office"], "lost an attribute"),
        ([MERGED, "an Asian female doctor in an office"], "lost an attribute"),
        ([MERGED, "a naked elderly Asian female doctor in an office"], "unsafe itself"),
        ([MERGED, "an elderly Asian female doctor in an office with a child"], "under 20"),
        ([MERGED, "an elderly Asian female doctor in an office, Taylor Swift"], "public figure"),
        ([MERGED, "eine alte asiatische Frau, doctor, elderly, in an office"], None),
    ],
)
def test_what_is_lost_or_brought_in_is_refused(
    llm: ScriptedLlm, aligner: LlmAligner, prompts: list[str], why: str | None
) -> None:
    llm.answers(says({"prompts": prompts}))
    with pytest.raises(UnreadableReply, match=why):
        merge(aligner, DOCTOR, (WOMAN,), (WOMAN,))
    assert len(llm.asked) == 1


def test_a_child_is_merged_where_a_child_was_drawn(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    drawn = (AttributeDraw(cluster=0, gender="female", age=CHILD),)
    llm.answers(says({"prompts": ["a girl in a park"]}))
    assert merge(aligner, "a person in a park", drawn) == ["a girl in a park"]
    grown = (AttributeDraw(cluster=0, gender="female", age=YOUNG),)
    llm.answers(says({"prompts": ["a young girl in a park"]}))
    with pytest.raises(UnreadableReply, match="under 20"):
        merge(aligner, "a person in a park", grown)


def test_what_the_prompt_touches_already_may_stay(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(says({"prompts": ["an elderly Asian female butcher stabbing a steak"]}))
    assert merge(aligner, "a butcher stabbing a steak", (WOMAN,))


@pytest.mark.parametrize(
    ("prompt", "draw"),
    [
        (DOCTOR, AttributeDraw(cluster=1, gender="female")),
        ("an old doctor", AttributeDraw(cluster=0, age=YOUNG)),
        ("two doctors", AttributeDraw(cluster=0, gender="male")),
    ],
)
def test_draws_that_do_not_fit_are_refused_before_anything_is_asked(
    llm: ScriptedLlm, aligner: LlmAligner, prompt: str, draw: AttributeDraw
) -> None:
    with pytest.raises(AlignmentError):
        merge(aligner, prompt, (draw,))
    assert llm.asked == []


def test_no_child_is_drawn_beside_sexual_content(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    """F19."""
    found = judged("a dancer", labels={Label.K2}, factors={Factor.SEXUAL}, score=0.4)
    with pytest.raises(AlignmentError, match="may not be painted"):
        aligner.merge(found, ((AttributeDraw(cluster=0, age=CHILD),),), POLICY)
    assert llm.asked == []


def test_a_server_that_fails_gives_no_prompts(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    for step in (Answer(status=500), Answer(b"garbage"), says('{"prompts": ["a')):
        llm.answers(step)
        with pytest.raises(AlignmentError):
            merge(aligner, DOCTOR, (WOMAN,))


def test_a_whole_job_with_a_rewrite(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    rewrite = "a dancer on a stage"
    reply = verdict(
        "K2", factors=factors(P5=0.5), rewrite=rewrite, people=[person("a dancer", "dancer")]
    )
    llm.answers(says(reply), says({"prompts": ["an elderly Asian female dancer on a stage"]}))
    found = aligner.scrutinise("a nude dancer on a stage", "", POLICY)
    (picture,) = aligner.merge(found, ((WOMAN,),), POLICY).pictures
    assert picture.prompt == "an elderly Asian female dancer on a stage"
    assert llm.asked[1].data["prompt"] == rewrite
