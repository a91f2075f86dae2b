"""What a tenant may send about its keys, and how they look. A secret is in one answer only."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from ninja import Schema
from pydantic import ConfigDict, Field, field_validator

from accounts.models import APIKey, Scope
from accounts.networks import MOST_NETWORKS, network_normalise
from accounts.services import LONGEST_OVERLAP
from config.fields import PLAIN, WHOLE, Moment, Whole, plain_text

Quota = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1), WHOLE]
PriorityLimit = Annotated[int, Field(strict=True, ge=0, le=9), WHOLE]
NetworkText = Annotated[str, Field(min_length=1, max_length=60)]


class KeyIn(Schema):
    """A key that is to be made. It can do no more than the key that makes it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=200, description="what it is for", json_schema_extra={**PLAIN}
    )
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    allowed_networks: list[NetworkText] = Field(
        default=[],
        max_length=MOST_NETWORKS,
        description="addresses or networks (CIDR, IPv4 and IPv6) that may use it; empty: all",
    )
    expires_at: Moment | None = Field(default=None, description="in the future; null: never")
    requests_per_minute: Quota | None = Field(default=None, description="narrower than the tenant")
    jobs_in_flight: Quota | None = Field(default=None, description="likewise")
    pictures_per_day: Quota | None = Field(default=None, description="likewise")
    priority_limit: PriorityLimit | None = Field(
        default=None, description="highest priority of its jobs; narrower than the tenant"
    )

    @field_validator("name")
    @classmethod
    def _plain_text(cls, value: str) -> str:
        return plain_text(value)

    @field_validator("scopes")
    @classmethod
    def _once(cls, value: list[Scope]) -> list[Scope]:
        return list(dict.fromkeys(value))

    @field_validator("allowed_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(network_normalise(text) for text in value))

    @field_validator("expires_at")
    @classmethod
    def _in_the_future(cls, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise ValueError("that is over already; give a time in the future")
        return value


class KeyRotation(Schema):
    """How the secret of a key is to be changed."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: Whole = Field(
        default=86_400,
        ge=0,
        le=int(LONGEST_OVERLAP.total_seconds()),
        description="how long the old secret is accepted beside the new one; 0 ends it at once",
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class KeyState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyUrls(Schema):
    """Where to go from here."""

    self: str
    rotate: str
    revoke: str


class KeyOut(Schema):
    """A key as it is now; its secret is not kept."""

    id: UUID
    name: str
    prefix: str = Field(description="the middle part of the key, which is no secret")
    state: KeyState
    scopes: list[Scope]
    allowed_networks: list[str]
    requests_per_minute: int | None
    jobs_in_flight: int | None
    pictures_per_day: int | None
    priority_limit: int | None
    made_by: UUID | None = Field(alias="made_by_id", description="the key that made this one")
    created_at: datetime
    last_used_at: datetime | None = Field(description="to the minute")
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_secret_ends_at: datetime | None = Field(
        alias="previous_digest_ends_at",
        description="until then the secret before this one is valid",
    )
    urls: KeyUrls

    @staticmethod
    def resolve_state(key: APIKey) -> KeyState:
        if key.revoked_at is not None:
            return KeyState.REVOKED
        over = key.expires_at is not None and key.expires_at <= timezone.now()
        return KeyState.EXPIRED if over else KeyState.VALID

    @staticmethod
    def resolve_urls(key: APIKey) -> KeyUrls:
        base = f"{settings.ENVIRONMENT.public_url}/api/v1/api-keys/{key.id}"
        return KeyUrls(self=base, rotate=f"{base}/rotate", revoke=f"{base}/revoke")


class KeyWithSecret(KeyOut):
    """A key in full, which is shown this once."""

    key: str = Field(description="`el_<prefix>_<secret>`: send it as `Authorization: Bearer`")
