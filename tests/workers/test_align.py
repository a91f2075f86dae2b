"""Which aligners a text worker asks."""

import pytest

from ethical_lens.policy import AlignerFailure, Policy
from ethical_lens.text.aligner import AlignmentError, PromptRefused
from ethical_lens.text.choose import scrutinise_with
from workers.align import _aligners
from workers.loading import aligner


def test_an_aligner_that_is_not_set_up_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("LLM_BASE_URL", raising=False)
    aligner.cache_clear()

    found = _aligners(Policy(aligners=("llm", "rules")))

    assert [one.name for one in found] == ["llm", "rules"]
    assert "LLM_BASE_URL" in caplog.text
    _, judge = scrutinise_with(found, "a doctor", "", Policy())
    assert judge.name == "rules"


def test_an_aligner_that_cannot_be_had_fails_as_the_policy_says() -> None:
    found = _aligners(Policy(aligners=("oracle",)))

    with pytest.raises(AlignmentError, match="no aligner is called 'oracle'"):
        scrutinise_with(found, "a doctor", "", Policy())
    blocks = Policy(aligners=("oracle",), when_aligner_fails={"oracle": AlignerFailure.BLOCK})
    with pytest.raises(PromptRefused, match="oracle"):
        scrutinise_with(found, "a doctor", "", blocks)
