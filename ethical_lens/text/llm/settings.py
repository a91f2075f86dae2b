"""Where the model is and how long to wait for it. The one place that reads `LLM_…`."""

import os
from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, SecretStr, ValidationError, field_validator

from ethical_lens.results import Value
from ethical_lens.text.llm.errors import LlmNotConfigured

_PREFIX: Final = "LLM_"


class LlmSettings(Value):
    """A server that speaks OpenAI's chat completions, and how patiently it is asked.

    `base_url` is what stands before `/chat/completions`. Durations are seconds:
    `timeout_seconds` bounds one request, `deadline_seconds` a whole call with its retries.
    """

    base_url: str = Field(pattern=r"^https?://[^/\s]+")
    model: str = Field(min_length=1, max_length=200)
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

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings in `LLM_BASE_URL`, `LLM_MODEL` and so on; an empty one counts as not set.

        Raises `LlmNotConfigured` with every variable that is missing or malformed, never a value.
        """
        given = {
            name: environ[variable]
            for name in cls.model_fields
            if environ.get(variable := _PREFIX + name.upper())
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = sorted(
                f"{_PREFIX}{str(problem['loc'][0]).upper()} "
                + ("is missing" if problem["type"] == "missing" else f"is wrong: {problem['msg']}")
                for problem in error.errors(include_input=False, include_url=False)
            )
            raise LlmNotConfigured(
                "the LLM is not configured, see docs/llm-aligner.md: " + "; ".join(lines)
            ) from None
