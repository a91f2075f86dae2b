"""Where the models are and how long to wait. The one place that reads `LLM_…`, `LOCAL_LLM_…`."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, SecretStr, ValidationError, field_validator

from ethical_lens.results import Value
from ethical_lens.sources import DeviceName, DtypeName
from ethical_lens.text.llm.errors import LlmNotConfigured


class ReplyFormat(StrEnum):
    """How a model is asked and answers: JSON of our schema, or as the published one was taught."""

    JSON = "json"
    TEXT_SCRUTINY = "text-scrutiny"


class _FromEnvironment(Value):
    """Settings that are read from variables with a prefix."""

    prefix: ClassVar[str]

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings in the variables of this prefix; an empty one counts as not set.

        Raises `LlmNotConfigured` with every variable that is missing or malformed, never a value.
        """
        given = {
            name: environ[variable]
            for name in cls.model_fields
            if environ.get(variable := cls.prefix + name.upper())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = sorted(
                f"{cls.prefix}{str(problem['loc'][0]).upper()} "
                + ("is missing" if problem["type"] == "missing" else f"is wrong: {problem['msg']}")
                for problem in error.errors(include_input=False, include_url=False)
            )
            raise LlmNotConfigured(
                "the LLM is not configured, see docs/llm-aligner.md: " + "; ".join(lines)
            ) from None


class LlmSettings(_FromEnvironment):
    """A server that speaks OpenAI's chat completions, and how patiently it is asked.

    `base_url` is what stands before `/chat/completions`. Durations are seconds:
    `timeout_seconds` bounds one request, `deadline_seconds` a whole call with its retries.
    """

    prefix = "LLM_"

    base_url: str = Field(pattern=r"^https?://[^/\s]+")
    model: str = Field(min_length=1, max_length=200)
    format: ReplyFormat = ReplyFormat.JSON
    api_key: SecretStr | None = None
    timeout_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    deadline_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    retries: int = Field(default=2, ge=0, le=10)
    retry_seconds: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    temperature: float = Field(default=0.0, ge=0, le=2, allow_inf_nan=False)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_seconds: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    cache_size: int = Field(default=1024, ge=0)

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        text = key.get_secret_value() if key else ""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be visible ASCII characters")
        return key


class LocalLlmSettings(_FromEnvironment):
    """A chat model that is loaded into this process.

    `model` is a folder or a hub id. `max_new_tokens` bounds one answer, `deadline_seconds` one
    call, with the wait for its turn.
    """

    prefix = "LOCAL_LLM_"

    model: str = Field(min_length=1, max_length=1000)
    format: ReplyFormat = ReplyFormat.JSON
    device: DeviceName = "auto"
    dtype: DtypeName = "auto"
    max_new_tokens: int = Field(default=1024, ge=1)
    deadline_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    cache_size: int = Field(default=1024, ge=0)

    @classmethod
    def wanted(cls, environ: Mapping[str, str] = os.environ) -> bool:
        """Whether a model is named, so that a worker loads it before its first job."""
        return bool(environ.get(f"{cls.prefix}MODEL"))
