"""Which aligners a text worker asks."""

import pytest

from ethical_lens.policy import Policy
from workers.align import _aligners
from workers.loading import aligner


def test_an_aligner_that_is_not_set_up_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("LLM_BASE_URL", raising=False)
    aligner.cache_clear()

    found = _aligners(Policy(aligners=("llm", "rules")))

    assert [one.name for one in found] == ["rules"]
    assert "LLM_BASE_URL" in caplog.text


def test_nobody_is_asked_where_none_is_set_up() -> None:
    assert _aligners(Policy(aligners=("oracle",))) == []
