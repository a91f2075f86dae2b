"""What a tenant may send."""

from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.db.models import Q
from ninja import FilterLookup, FilterSchema, Schema
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from config.fields import PLAIN, PLAIN_NOT_BLANK, WHOLE, Moment, Whole, plain_text
from config.identifiers import TOLD_WITHIN, uuid7_first
from ethical_lens.sources import LoraSource, PipelineSource
from jobs.api.preferences import duration_read
from jobs.services import JobRequest
from jobs.states import JobStatus

Side = Annotated[int, Field(strict=True, ge=64, le=1024, multiple_of=8), WHOLE]
Steps = Annotated[int, Field(strict=True, ge=1, le=100), WHOLE]
Seed = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1), WHOLE]
Priority = Annotated[int, Field(strict=True, ge=0, le=9), WHOLE]
ModelName = Annotated[str, Field(pattern=r"^[\w./-]{1,100}$")]


def _known_models(schema: dict[str, Any]) -> None:
    schema["enum"] = ["", *settings.DIFFUSION_MODELS]


def _known_loras(schema: dict[str, Any]) -> None:
    schema["enum"] = ["", *settings.LORAS]


class JobIn(Schema):
    """A request for pictures. Every bad field is named in one answer."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(
        min_length=1,
        max_length=2000,
        description="what to paint, in English",
        json_schema_extra={**PLAIN_NOT_BLANK},
    )
    negative_prompt: str = Field(
        default="",
        max_length=2000,
        description="what to keep away from",
        json_schema_extra={**PLAIN},
    )
    model: str = Field(
        default="",
        description="a known model; by default the first one",
        json_schema_extra=_known_models,
    )
    lora: str = Field(
        default="",
        description="LoRA weights by name; by default none",
        json_schema_extra=_known_loras,
    )
    n: Whole = Field(default=1, ge=1, le=10, description="how many pictures")
    width: Side | None = Field(default=None, description="pixels; by default the model's")
    height: Side | None = Field(default=None, description="pixels; by default the model's")
    steps: Steps | None = Field(default=None, description="diffusion steps; by default the model's")
    guidance_scale: float | None = Field(
        default=None,
        ge=0,
        le=30,
        strict=True,
        allow_inf_nan=False,
        description="how closely to follow the prompt; by default the model's",
    )
    seed: Seed | None = Field(default=None, description="of the first picture; by default random")
    priority: Priority | None = Field(
        default=None,
        description="9 goes before 0, among the tenant's own; by default 5, or what the key may",
    )

    @field_validator("prompt", "negative_prompt")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return plain_text(value)

    @field_validator("prompt")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("say what to paint")
        return value

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        known: dict[str, PipelineSource] = settings.DIFFUSION_MODELS
        if value and value not in known:
            raise ValueError(f"unknown model; known are: {', '.join(known)}")
        return value

    @field_validator("lora")
    @classmethod
    def _known_lora(cls, value: str, info: ValidationInfo) -> str:
        model = info.data.get("model") or next(iter(settings.DIFFUSION_MODELS))
        known: dict[str, LoraSource] = settings.LORAS
        fitting = [name for name, lora in known.items() if lora.fits(model)]
        if value and value not in fitting:
            raise ValueError(
                f"no LoRA of {model} has that name; there is: {', '.join(fitting) or 'none'}"
            )
        return value

    def to_request(self, *, cancel_after: str | None = None) -> JobRequest:
        """The request as the service takes it, with the model's defaults for what is not said.

        `cancel_after` is a duration as `Cancel-After` has it.
        """
        model = self.model or next(iter(settings.DIFFUSION_MODELS))
        defaults = settings.DIFFUSION_MODELS[model].model_dump(exclude={"source"})
        deadline = duration_read(cancel_after) if cancel_after else None
        said = self.model_dump(exclude_none=True) | {"model": model}
        return JobRequest(**defaults | said, cancel_after=deadline)


class JobFilters(FilterSchema):
    """How a list can be narrowed."""

    status: Annotated[list[JobStatus] | None, FilterLookup("status__in")] = None
    model: Annotated[ModelName | None, FilterLookup("model")] = None
    created_after: Moment | None = None
    created_before: Moment | None = None

    # Ids tell the time, too: they bound what of the index is read.
    def filter_created_after(self, moment: datetime | None) -> Q:
        if moment is None:
            return Q()
        return Q(created_at__gte=moment, id__gte=uuid7_first(moment - TOLD_WITHIN))

    def filter_created_before(self, moment: datetime | None) -> Q:
        if moment is None:
            return Q()
        return Q(created_at__lt=moment, id__lt=uuid7_first(moment + TOLD_WITHIN))
