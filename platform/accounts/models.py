"""Tenants, API keys, users, and the answers that are kept for a repeated request."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.devices import AppDevice, RecoveryDevice
from config.identifiers import uuid7

__all__ = [
    "APIKey",
    "AppDevice",
    "KeptAnswer",
    "Quotas",
    "RecoveryDevice",
    "Scope",
    "Tenant",
    "User",
]


class User(AbstractUser):
    """A person of the admin: moderator or operator."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)


class Quotas(models.Model):
    """How much may be asked for. An empty quota of a tenant is that of the environment; one of a
    key is that of its tenant."""

    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    jobs_in_flight = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="queued or at work"
    )
    pictures_per_day = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="asked for, UTC"
    )

    priority_limit = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(9)],
        help_text="highest priority of its jobs, 0 to 9",
    )  # fmt: skip

    class Meta:
        abstract = True


class Tenant(Quotas):
    """A platform that submits jobs. Every object of the API belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    policy_version = models.ForeignKey(
        "moderation.PolicyVersion", on_delete=models.PROTECT, related_name="+"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What an API key may do."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"


class APIKey(Quotas):
    """A bearer key. Only its prefix and a SHA-256 of the whole are kept; the key is shown once.

    While a key is rotated the secret before it is accepted too, until `previous_digest_ends_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, related_name="api_keys", db_index=False
    )
    made_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="+",
        help_text="the key that made this one; none: made by an operator",
    )  # fmt: skip
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    previous_digest = models.CharField(max_length=64, blank=True, editable=False)
    previous_digest_ends_at = models.DateTimeField(null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices))
    allowed_networks = ArrayField(
        models.CharField(max_length=43),
        default=list,
        blank=True,
        help_text="addresses or networks that may use the key, as 192.0.2.0/24; empty: all",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    previous_secret_used = False
    """Whether this request came with the secret before the current one."""

    class Meta:
        verbose_name = "API key"
        indexes = [models.Index(fields=["tenant", "-id"], name="api_key_of_tenant")]
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="api_key_digest_is_sha256"
            ),
            models.CheckConstraint(
                condition=Q(previous_digest="", previous_digest_ends_at__isnull=True)
                | Q(
                    previous_digest__regex=r"^[0-9a-f]{64}$",
                    previous_digest_ends_at__isnull=False,
                ),
                name="previous_digests_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class KeptAnswer(models.Model):
    """The answer to a request that carried an `Idempotency-Key`, given again to its repetition.

    Written in the transaction of what the request did: there is neither without the other.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="one_answer_per_key"),
        ]

    def __str__(self) -> str:
        return self.key
