"""What a tenant may send about its endpoints, and how they and their deliveries look."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from ninja import FilterLookup, FilterSchema, Schema
from pydantic import ConfigDict, Field, field_validator, model_validator

from config.fields import PLAIN, Moment, Whole, plain_text
from config.identifiers import TOLD_WITHIN, uuid7_first
from webhooks.endpoints import LONGEST_OVERLAP
from webhooks.models import Delivery, DeliveryStatus, Endpoint, EventType

EventTypes = Annotated[
    list[EventType], Field(max_length=len(EventType), description="empty: all of them")
]
Description = Annotated[str, Field(max_length=200, json_schema_extra={**PLAIN})]
URL = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="https, a public address",
        json_schema_extra={**PLAIN},
    ),
]


class _In(Schema):
    @field_validator("url", "description", check_fields=False)
    @classmethod
    def _plain_text(cls, value: str | None) -> str | None:
        return value if value is None else plain_text(value)


class EndpointIn(_In):
    """An address that is to receive events."""

    model_config = ConfigDict(extra="forbid")

    url: URL
    event_types: EventTypes = []
    description: Description = ""


class EndpointChanges(_In):
    """What is to change; what is left out stays. A value of null is refused."""

    model_config = ConfigDict(extra="forbid")

    url: URL = ""
    event_types: EventTypes = []
    description: Description = ""
    is_active: bool = Field(default=True, strict=True)


class Rotation(Schema):
    """How a secret is to be changed."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Whole = Field(
        default=86_400,
        ge=0,
        le=int(LONGEST_OVERLAP.total_seconds()),
        description="how long the old secret signs beside the new one; 0 ends it at once",
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class Replay(Schema):
    """Which events are to be sent once more: all that failed, or a range of time."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = Field(default=None, description="events from then on")
    until: Moment | None = Field(default=None, description="events before that")
    only_failed: bool = Field(
        default=False,
        strict=True,
        description="only what was given up; false: whatever happened, and what was missed",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.since is None and not self.only_failed:
            raise ValueError("give `since`, or ask for `only_failed`")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("`since` must be before `until`")
        return self


class Replayed(Schema):
    replayed: int = Field(description="deliveries now on their way again")


class EndpointUrls(Schema):
    """Where to go from here."""

    self: str
    rotate: str
    test: str
    deliveries: str
    replay: str


class EndpointOut(Schema):
    """An endpoint as it is now."""

    id: UUID
    url: str
    description: str
    event_types: list[EventType]
    is_active: bool
    disabled_reason: str
    failing_since: datetime | None = Field(
        description="the first failed attempt since the last that was accepted"
    )
    previous_secret_ends_at: datetime | None = Field(
        description="until then the secret before this one signs too"
    )
    created_at: datetime
    urls: EndpointUrls

    @staticmethod
    def resolve_urls(endpoint: Endpoint) -> EndpointUrls:
        return endpoint_urls(endpoint.id)


class EndpointWithSecret(EndpointOut):
    """An endpoint with its signing secret, which is shown this once."""

    secret: str


class AttemptOut(Schema):
    """One try at a delivery."""

    number: int
    started_at: datetime
    seconds: float = Field(description="look-up, connection and answer together")
    status_code: int | None
    error: str
    answer: str = Field(description="the first 16 KiB of the body that came back")

    @staticmethod
    def resolve_seconds(attempt: Any) -> float:
        return float(attempt.duration.total_seconds())


class DeliveryOut(Schema):
    """An event on its way to an endpoint."""

    id: UUID
    webhook_id: UUID = Field(alias="event_id", description="the header `webhook-id`")
    event_type: EventType
    job: UUID | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime = Field(description="of the event")

    @staticmethod
    def resolve_event_type(delivery: Delivery) -> str:
        return delivery.event.type

    @staticmethod
    def resolve_job(delivery: Delivery) -> UUID | None:
        return delivery.event.job_id

    @staticmethod
    def resolve_created_at(delivery: Delivery) -> datetime:
        return delivery.event.created_at


class DeliveryWithLog(DeliveryOut):
    """A delivery with every attempt, in order."""

    log: list[AttemptOut]

    @staticmethod
    def resolve_log(delivery: Delivery) -> list[Any]:
        return list(delivery.log.order_by("number"))


class DeliveryFilters(FilterSchema):
    """How the list can be narrowed."""

    status: Annotated[list[DeliveryStatus] | None, FilterLookup("status__in")] = None
    event_type: Annotated[list[EventType] | None, FilterLookup("event__type__in")] = None
    created_after: Moment | None = None
    created_before: Annotated[Moment | None, FilterLookup("event__created_at__lt")] = None

    def filter_created_after(self, moment: datetime | None) -> Q:
        """A delivery is made with its event or later: its id bounds what of the index is read."""
        if moment is None:
            return Q()
        return Q(event__created_at__gte=moment, id__gte=uuid7_first(moment - TOLD_WITHIN))


def endpoint_urls(endpoint_id: UUID) -> EndpointUrls:
    base = f"{settings.ENVIRONMENT.public_url}/api/v1/webhook-endpoints/{endpoint_id}"
    return EndpointUrls(
        self=base,
        rotate=f"{base}/rotate",
        test=f"{base}/test",
        deliveries=f"{base}/deliveries",
        replay=f"{base}/replay",
    )
