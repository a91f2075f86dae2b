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


def test_a_local_model_has_variables_of_its_own() -> None:
    settings = LocalLlmSettings.read(
        {
            "LOCAL_LLM_MODEL": "models/some-model",
            "LOCAL_LLM_FORMAT": "text-scrutiny",
            "LOCAL_LLM_DEVICE": "cpu",
            "LOCAL_LLM_DTYPE": "bfloat16",
            "LOCAL_LLM_MAX_NEW_TOKENS": "64",
            "LOCAL_LLM_DEADLINE_SECONDS": "9",
            "LOCAL_LLM_CACHE_SIZE": "",
            "LLM_MODEL": "another",
        }
    )
    assert settings.model_dump() == {
        "model": "models/some-model",
        "format": ReplyFormat.TEXT_SCRUTINY,
        "device": "cpu",
        "dtype": "bfloat16",
        "max_new_tokens": 64,
        "deadline_seconds": 9.0,
        "cache_size": 1024,
    }


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "LOCAL_LLM_MODEL is missing"),
        ({"LOCAL_LLM_MODEL": "m", "LOCAL_LLM_FORMAT": "yaml"}, "LOCAL_LLM_FORMAT is wrong"),
        ({"LOCAL_LLM_MODEL": "m", "LOCAL_LLM_DTYPE": "int4"}, "LOCAL_LLM_DTYPE is wrong"),
        ({"LOCAL_LLM_MODEL": "m", "LOCAL_LLM_MAX_NEW_TOKENS": "0"}, "MAX_NEW_TOKENS is wrong"),
    ],
)
def test_what_is_wrong_with_a_local_model_is_named_too(environ: dict[str, str], says: str) -> None:
    with pytest.raises(LlmNotConfigured, match=says):
        LocalLlmSettings.read(environ)


def test_the_format_chooses_the_aligner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LEAST.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LLM_FORMAT", "text-scrutiny")
    aligner = load_aligner("llm")
    assert aligner.name == "llm"
    assert aligner.version.startswith("text-scrutiny")
