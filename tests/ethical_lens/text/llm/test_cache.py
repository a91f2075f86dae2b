"""What was said before is not asked again, unless anything it depends on differs."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from ethical_lens.policy import Policy
from ethical_lens.results import Attribute, AttributeDraw, Concept
from ethical_lens.text.aligner import AlignmentError
from ethical_lens.text.llm import aligner as module
from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.cache import RecentCache
from ethical_lens.text.llm.settings import LlmSettings
from ethical_lens.text.llm.templates import SCRUTINY
from scripted_llm import Answer, ScriptedLlm, over_http, says
from scripted_replies import factors, person, verdict

POLICY = Policy()
DOCTOR = "a doctor in an office"
SAFE = says(verdict(people=[person("a doctor", "doctor")]))


def test_the_same_again_costs_no_call(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(SAFE)
    first = aligner.scrutinise(DOCTOR, "blurry", POLICY)
    equal = Policy(diversify=frozenset(sorted(Attribute, reverse=True)))
    assert aligner.scrutinise(DOCTOR, "blurry", equal) == first
    assert len(llm.asked) == 1

    llm.answers(says({"prompts": ["a female doctor in an office"]}))
    draws = ((AttributeDraw(cluster=0, gender="female"),),)
    assert aligner.merge(first, draws, POLICY) == aligner.merge(first, draws, POLICY)
    assert len(llm.asked) == 1

    llm.answers(says({"prompts": ["a doctor in a calm office"]}))
    concepts = frozenset({Concept.NSFW})
    assert len({aligner.revise(DOCTOR, concepts, POLICY) for _ in range(2)}) == 1
    assert len(llm.asked) == 1


def test_another_prompt_or_policy_is_another_question(
    llm: ScriptedLlm, aligner: LlmAligner
) -> None:
    llm.answers(SAFE)
    aligner.scrutinise(DOCTOR, "", POLICY)
    aligner.scrutinise(DOCTOR, "blurry", POLICY)
    aligner.scrutinise(DOCTOR + " ", "", POLICY)
    aligner.scrutinise(DOCTOR, "", Policy(rounds=1))
    assert len(llm.asked) == 4


def test_another_model_or_template_is_another_question(
    llm: ScriptedLlm, settings: Callable[..., LlmSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three aligners that share a cache."""
    llm.answers(SAFE)
    first, second = over_http(settings()), over_http(settings(model="scripted-2"))
    second._questions._cache = first._questions._cache
    for one in (first, second, first, second):
        one.scrutinise(DOCTOR, "", POLICY)
    assert [asked.body["model"] for asked in llm.asked] == ["scripted-1", "scripted-2"]

    changed = replace(SCRUTINY, system=SCRUTINY.system + "Be strict.\n")
    assert changed.version != SCRUTINY.version
    monkeypatch.setattr(module, "SCRUTINY", changed)
    third = over_http(settings())
    third._questions._cache = first._questions._cache
    third.scrutinise(DOCTOR, "", POLICY)
    assert len(llm.asked) == 3
    assert len({first.version, second.version, third.version}) == 3


def test_what_was_not_believed_is_not_kept(llm: ScriptedLlm, aligner: LlmAligner) -> None:
    llm.answers(
        Answer(b"garbage"), says(verdict("K1")), says(verdict("K0", factors=factors(P3=1))), SAFE
    )
    for _ in range(3):
        with pytest.raises(AlignmentError):
            aligner.scrutinise(DOCTOR, "", POLICY)
    assert aligner.scrutinise(DOCTOR, "", POLICY).prompt == DOCTOR
    assert len(llm.asked) == 4


def test_it_forgets_what_was_used_longest_ago() -> None:
    cache = RecentCache[int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]


def test_size_nought_keeps_nothing(llm: ScriptedLlm, settings: Callable[..., LlmSettings]) -> None:
    llm.answers(SAFE)
    aligner = over_http(settings(cache_size=0))
    for _ in range(2):
        aligner.scrutinise(DOCTOR, "", POLICY)
    assert len(llm.asked) == 2


def test_threads_may_share_it() -> None:
    cache = RecentCache[int](8)

    def use(start: int) -> None:
        for i in range(start, start + 500):
            cache.put(i % 16, i % 16)
            assert cache.get(i % 11) in {None, i % 11}

    errors: list[object] = []
    previous, threading.excepthook = threading.excepthook, errors.append
    try:
        threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = previous
    assert errors == []
