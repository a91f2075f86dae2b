"""Settings from the environment, and the aligner by its name."""

import subprocess
import sys
from typing import Any

import pytest

from ethical_lens.policy import Policy
from ethical_lens.text.aligner import AlignmentError, PromptAligner
from ethical_lens.text.choose import load_aligner, load_aligners
from ethical_lens.text.llm.errors import LlmNotConfigured
from ethical_lens.text.llm.settings import LlmSettings, LocalLlmSettings, ReplyFormat

LEAST = {"LLM_BASE_URL": "http://localhost:11434/v1", "LLM_MODEL": "some-model"}


def test_all_of_them_are_read() -> None:
    settings = LlmSettings.read(
        {
            **LEAST,
            "LLM_API_KEY": "key",
            "LLM_TIMEOUT_SECONDS": "7.5",
            "LLM_DEADLINE_SECONDS": "20",
            "LLM_RETRIES": "4",
            "LLM_RETRY_SECONDS": "1",
            "LLM_TEMPERATURE": "1",
            "LLM_BREAKER_FAILURES": "3",
            "LLM_BREAKER_SECONDS": "9",
            "LLM_CACHE_SIZE": "0",
            "LLM_UNKNOWN": "x",
        }
    )
    found: dict[str, Any] = settings.model_dump()
    assert found.pop("api_key").get_secret_value() == "key"
    assert found == {
        "base_url": "http://localhost:11434/v1",
        "format": ReplyFormat.JSON,
        "model": "some-model",
        "timeout_seconds": 7.5,
        "deadline_seconds": 20.0,
        "retries": 4,
        "retry_seconds": 1.0,
        "temperature": 1.0,
        "breaker_failures": 3,
        "breaker_seconds": 9.0,
        "cache_size": 0,
    }


def test_an_empty_one_means_the_default() -> None:
    assert LlmSettings.read({**LEAST, "LLM_RETRIES": "", "LLM_API_KEY": ""}) == LlmSettings(
        base_url=LEAST["LLM_BASE_URL"], model=LEAST["LLM_MODEL"]
    )


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, r"LLM_BASE_URL is missing; LLM_MODEL is missing"),
        ({**LEAST, "LLM_BASE_URL": "localhost"}, "LLM_BASE_URL is wrong"),
        ({**LEAST, "LLM_TIMEOUT_SECONDS": "soon"}, "LLM_TIMEOUT_SECONDS is wrong"),
        ({**LEAST, "LLM_TIMEOUT_SECONDS": "inf"}, "LLM_TIMEOUT_SECONDS is wrong"),
        ({**LEAST, "LLM_API_KEY": "a\nb"}, "LLM_API_KEY is wrong"),
    ],
)
def test_what_is_wrong_is_named_by_its_variable(environ: dict[str, str], says: str) -> None:
    with pytest.raises(LlmNotConfigured, match=says):
        LlmSettings.read(environ)


def test_a_key_is_never_told() -> None:
    with pytest.raises(LlmNotConfigured) as refusal:
        LlmSettings.read({**LEAST, "LLM_API_KEY": "sec ret"})
    assert "sec ret" not in str(refusal.value)


def test_the_aligner_is_there_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LEAST.items():
        monkeypatch.setenv(name, value)
    aligner: PromptAligner = load_aligner("llm")
    assert aligner.name == "llm"
    assert "some-model" in aligner.version
    policy = Policy(aligners=("rules", "llm"))
    assert [a.name for a in load_aligners(policy)] == ["rules", "llm"]


def test_without_settings_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LEAST:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AlignmentError, match=r"llm-aligner\.md: LLM_BASE_URL is missing"):
        load_aligner("llm")


def test_only_who_asks_a_model_loads_the_client() -> None:
    code = (
        "import sys, ethical_lens.text.choose\n"
        "assert 'httpx' not in sys.modules\n"
        "import ethical_lens.text.llm.aligner\n"
        "heavy = {'torch', 'django', 'celery', 'transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
