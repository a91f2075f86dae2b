"""The environment, read once and typed. No other module of the platform reads `os.environ`; the
library reads what concerns language models, in `ethical_lens/text/llm/settings.py`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ethical_lens.sources import ModelSources, SourcesError

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


_DATABASE_URL_HELP = "write it as postgresql://user:password@host:port/name"  # never the value


class Environment(BaseSettings):
    """Every environment variable the platform and its workers know. Durations are in seconds.

    What has no default must be given; there is no default secret anywhere.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    secret_key: str = Field(min_length=32, description="Django's signing key")
    secret_key_fallbacks: CommaSeparated = Field(
        default=(), description="keys of before, which still open what they sealed and signed"
    )
    database_url: str = Field(description="postgresql://user:password@host:port/name")
    redis_url: str = Field(
        pattern=r"^(rediss?|unix)://", description="redis://:password@host:port/0"
    )
    s3_endpoint_url: str = Field(pattern=r"^https?://")
    s3_bucket: str = Field(min_length=3)
    s3_access_key_id: str = Field(min_length=1)
    s3_secret_access_key: str = Field(min_length=1)
    s3_region: str = "us-east-1"
    s3_public_endpoint_url: str | None = Field(
        default=None,
        description="the address that presigned links carry, where clients see another",
    )
    models: str = Field(
        min_length=1, description="mini, sd15, sdxl, sd-turbo or a JSON file, see docs/models.md"
    )
    models_folder: Path = Field(
        default=Path("models"), description="where the weights that a preset names lie"
    )

    evaluations_folder: Path | None = Field(
        default=None, description="where runs of evaluations lie, each in a folder of its own"
    )

    debug: bool = False
    allowed_hosts: CommaSeparated = ("localhost", "127.0.0.1")
    csrf_trusted_origins: CommaSeparated = ()
    https: bool = Field(default=False, description="set secure cookies and redirect to HTTPS")
    trusted_proxies: CommaSeparated = Field(
        default=(), description="networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8"
    )
    metrics_token: str | None = Field(
        default=None, min_length=32, description="bearer token that opens /metrics"
    )
    metrics_networks: CommaSeparated = Field(
        default=(), description="networks that may read /metrics without a token"
    )
    login_failures: int = Field(
        default=5, ge=1, description="of a name from an address, before it is locked out"
    )
    login_lock_seconds: int = Field(default=900, ge=1, description="how long it stays locked out")
    session_idle_seconds: int = Field(
        default=1800, ge=60, description="a session ends when nothing is asked for so long"
    )
    session_seconds: int = Field(
        default=43_200, ge=60, description="a session ends so long after signing in"
    )
    two_factor_required: bool = Field(
        default=False, description="nobody works in the admin without a second factor"
    )
    public_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://")
    log_level: str = "INFO"
    database_pool_size: int = Field(
        default=0,
        ge=0,
        description="0: one lasting connection per thread; web processes pool 10 by default",
    )

    lease_seconds: float = Field(
        default=60.0, gt=0, description="a claim unrenewed this long is dead"
    )
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    reconcile_seconds: float = Field(default=5.0, gt=0)
    silent_seconds: float = Field(default=60.0, gt=0, description="first delay before re-driving")
    dispatch_window: int = Field(default=32, ge=1, description="jobs admitted at once")
    generate_batch_size: int = Field(
        default=4, ge=1, le=64, description="pictures painted together"
    )
    stage_attempts: int = Field(default=3, ge=1)
    retry_seconds: float = Field(default=2.0, ge=0, description="first delay, doubled per attempt")
    stage_deadline_seconds: float = Field(
        default=900.0, gt=0, description="a stage running longer ends with its process"
    )
    visibility_timeout_seconds: int = Field(default=3600, ge=1)
    moderator_undo_seconds: float = Field(default=60.0, ge=0)
    review_lock_seconds: float = Field(
        default=900.0, gt=0, description="a person keeps what they took from the queue this long"
    )
    review_second_rate: float = Field(
        default=0.0, ge=0, le=1, description="the share of items that two people decide, blind"
    )
    policy_four_eyes: bool = Field(
        default=True, description="whoever wrote a draft of a policy does not publish it"
    )
    presigned_url_seconds: int = Field(default=900, ge=1, le=604800)
    quota_requests_per_minute: int = Field(
        default=6000, ge=0, description="of a tenant that has no quota of its own; 0: no bound"
    )
    quota_failed_attempts_per_minute: int = Field(
        default=30, ge=0, description="with unknown keys, of an address; 0: no bound"
    )
    quota_jobs_in_flight: int = Field(default=10_000, ge=0, description="likewise")
    quota_pictures_per_day: int = Field(default=0, ge=0, description="likewise")
    queue_limit: int = Field(
        default=50_000, ge=0, description="jobs waiting, of all tenants; 0: no bound"
    )
    idempotency_seconds: int = Field(
        default=86_400, ge=86_400, description="how long an answer is kept for its repetition"
    )
    webhook_timeout_seconds: float = Field(default=15.0, gt=0)
    webhook_endpoint_concurrency: int = Field(
        default=4, ge=1, description="deliveries under way at once to one endpoint"
    )
    webhook_tenant_concurrency: int = Field(
        default=8, ge=1, description="deliveries under way at once to all endpoints of a tenant"
    )
    webhook_disable_seconds: float = Field(
        default=5 * 86_400.0, gt=0, description="an endpoint failing this long is disabled"
    )
    webhook_allowed_networks: CommaSeparated = Field(
        default=(), description="private networks that webhooks may reach, e.g. 127.0.0.0/8"
    )
    picture_allowed_networks: CommaSeparated = Field(
        default=(), description="private networks that pictures may be fetched from"
    )
    picture_seconds: float = Field(default=15.0, gt=0, description="to fetch a picture by its URL")
    picture_bytes: int = Field(
        default=20 * 1024 * 1024, ge=1, description="of a picture by its URL"
    )
    outgoing_ports: CommaSeparated = Field(
        default=("443", "8443"),
        description="ports that webhooks may reach and pictures be fetched from, e.g. "
        "443,8000-8999",
    )

    @field_validator(
        "secret_key_fallbacks",
        "allowed_hosts",
        "csrf_trusted_origins",
        "trusted_proxies",
        "metrics_networks",
        "webhook_allowed_networks",
        "picture_allowed_networks",
        "outgoing_ports",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _keys_of_before_are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(key) < 32 for key in value):
            raise ValueError("each must have at least 32 characters")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_url_is_readable(cls, value: str) -> str:
        try:
            parts = conninfo_to_dict(value)
        except ProgrammingError as error:
            raise ValueError(_DATABASE_URL_HELP) from error
        if not value.startswith(("postgresql://", "postgres://")) or not parts.get("dbname"):
            raise ValueError(_DATABASE_URL_HELP)
        return value

    @field_validator("outgoing_ports")
    @classmethod
    def _ports_are_ports(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            _ports(text)
        return value

    @field_validator(
        "trusted_proxies",
        "metrics_networks",
        "webhook_allowed_networks",
        "picture_allowed_networks",
    )
    @classmethod
    def _networks_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("metrics_networks")
    @classmethod
    def _sees_who_asks(cls, value: tuple[str, ...], info: Any) -> tuple[str, ...]:
        # With HTTPS a proxy stands in front, and everybody seems to come from its address.
        if value and info.data.get("https") and not info.data.get("trusted_proxies"):
            raise ValueError("needs TRUSTED_PROXIES with HTTPS: else the proxy's address is seen")
        return value

    @field_validator("visibility_timeout_seconds")
    @classmethod
    def _outlasts_the_longest_task(cls, value: int, info: Any) -> int:
        deadline = info.data.get("stage_deadline_seconds", 0)
        if value <= deadline:
            raise ValueError(f"must exceed STAGE_DEADLINE_SECONDS ({deadline:g})")
        return value

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats_well_within_a_lease(cls, value: float, info: Any) -> float:
        lease = info.data.get("lease_seconds", 0)
        if value * 2 > lease:
            raise ValueError(f"must be at most half of LEASE_SECONDS ({lease:g})")
        return value

    @property
    def database(self) -> dict[str, Any]:
        """Django's `DATABASES["default"]` from the URL."""
        parts: dict[str, Any] = dict(conninfo_to_dict(self.database_url))
        taken = {
            key: parts.pop(key, "") or "" for key in ("dbname", "user", "password", "host", "port")
        }
        # Statements are planned once per connection, not at every execution: see benchmarks/.
        parts |= {"server_side_binding": True, "prepare_threshold": 2}
        parts = {"connect_timeout": 5, "tcp_user_timeout": 15_000, **parts}
        if self.database_pool_size:
            parts["pool"] = {"min_size": 1, "max_size": self.database_pool_size, "timeout": 10}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": taken["dbname"],
            "USER": taken["user"],
            "PASSWORD": taken["password"],
            "HOST": taken["host"],
            "PORT": taken["port"],
            "OPTIONS": parts,
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 0 if self.database_pool_size else None,
        }

    def port_ranges(self) -> tuple[range, ...]:
        """`outgoing_ports` as ranges."""
        return tuple(_ports(text) for text in self.outgoing_ports)

    def model_sources(self) -> ModelSources:
        """The pipelines and LoRA weights of `models` by the names that jobs call them; whether
        they are there is the workers' affair.

        Raises `ImproperlyConfigured` where `models` is no preset and no readable file of sources.
        """
        try:
            return ModelSources.parse(self.models)
        except SourcesError as error:
            raise ImproperlyConfigured(f"MODELS: {error}") from None


def _ports(text: str) -> range:
    """`443` or `8000-8999`. Raises `ValueError`."""
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() if dash else True)):
        raise ValueError(f"{text} is no port and no range of ports")
    ports = range(int(first), int(last or first) + 1)
    if not (ports and ports[0] >= 1 and ports[-1] <= 65535):
        raise ValueError(f"{text} is not within 1-65535")
    return ports


def read_environment() -> Environment:
    """Read and check `os.environ`.

    Raises `ImproperlyConfigured` with one line per variable that is missing or malformed.
    """
    try:
        return Environment()
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0]).upper()
            hint = Environment.model_fields[name.lower()].description
            what = (
                "is missing"
                if problem["type"] == "missing"
                else problem["msg"].removeprefix("Value error, ")
            )
            lines.append(f"  {name}: {what}" + (f" ({hint})" if hint else ""))
        raise ImproperlyConfigured(
            "The environment is not complete:\n" + "\n".join(sorted(lines))
        ) from None
