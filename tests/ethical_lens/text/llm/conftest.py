"""A scripted server, and aligners that ask it."""

from collections.abc import Callable, Iterator

import pytest

from ethical_lens.text.llm.aligner import LlmAligner
from ethical_lens.text.llm.settings import LlmSettings
from scripted_llm import ScriptedLlm, over_http


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedLlm]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedLlm() as running:
        yield running


@pytest.fixture
def settings(llm: ScriptedLlm) -> Callable[..., LlmSettings]:
    """Settings for the scripted server, impatient unless told otherwise."""

    def build(**values: object) -> LlmSettings:
        given = {"base_url": llm.url, "model": "scripted-1", "retry_seconds": 0.01, **values}
        return LlmSettings.model_validate(given)

    return build


@pytest.fixture
def aligner(settings: Callable[..., LlmSettings]) -> LlmAligner:
    return over_http(settings())
