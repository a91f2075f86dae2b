"""Many prompts at once: the verdicts that one at a time gets, in order, and little read ahead."""

from collections.abc import Iterator

import pytest

from ethical_lens.policy import Policy
from ethical_lens.text.aligner import LONGEST_PROMPT, AlignmentError
from ethical_lens.text.bulk import NoVerdict, scrutinise_many
from ethical_lens.text.choose import load_aligners, scrutinise_with

POLICY = Policy()


def test_the_verdicts_are_those_of_one_at_a_time() -> None:
    prompts = [
        "a doctor",
        "",
        "a nude child",
        "Ein alter Mann sitzt vor dem Haus und liest die Zeitung",
        "a" * (LONGEST_PROMPT + 1),
        *(f"a knife fight in house {i}" for i in range(150)),
    ]

    verdicts = list(scrutinise_many(prompts, POLICY, 2))

    assert len(verdicts) == len(prompts)
    aligners = load_aligners(POLICY)
    for prompt, verdict in zip(prompts, verdicts, strict=True):
        if isinstance(verdict, NoVerdict):
            with pytest.raises(AlignmentError) as raised:
                scrutinise_with(aligners, prompt, "", POLICY)
            assert verdict.reason == str(raised.value)
        else:
            assert verdict == scrutinise_with(aligners, prompt, "", POLICY)[0]
    none = {i: v.review for i, v in enumerate(verdicts) if isinstance(v, NoVerdict)}
    assert none == {1: False, 3: True, 4: False}


def test_endless_prompts_are_read_as_they_are_needed() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "a house"

    verdicts = scrutinise_many(endless(), POLICY, 1)

    assert read == 0
    next(verdicts)
    assert 0 < read < 1000
    verdicts.close()  # type: ignore[attr-defined]


def test_an_unknown_aligner_is_told_at_once() -> None:
    with pytest.raises(AlignmentError, match="'oracle'"):
        scrutinise_many([], Policy(aligners=("oracle",)))
