"""Endpoints, events, deliveries and the log of their attempts.

An event is written in the transaction of the transition it tells of, with one delivery row per
endpoint that wants it. A delivery moves

    pending ─► delivered ─┐
       │ ▲▲               │ replayed
       │ │└───────────────┤
       │ └ retried at `next_attempt_at`
       └─► failed ────────┘   (attempts used up, or the endpoint was disabled)
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.identifiers import uuid7
from config.sealing import seal, unseal


class EventType(models.TextChoices):
    """What an endpoint can subscribe to."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_BLOCKED = "job.blocked"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_NEEDS_REVIEW = "job.needs_review"
    APPEAL_ACCEPTED = "appeal.accepted"
    APPEAL_REFUSED = "appeal.refused"
    PICTURE_WITHDRAWN = "picture.withdrawn"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_TEST = "endpoint.test"


class Endpoint(models.Model):
    """A URL of a tenant that receives events, signed with its secret (Standard Webhooks).

    While a secret is rotated the previous one signs too, until `previous_secret_ends_at`. The
    database has both sealed, each for its own row. Reading one raises `config.sealing.SealBroken`
    where the key that sealed it is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.CASCADE, related_name="endpoints"
    )
    url = models.URLField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    sealed_secret = models.CharField(max_length=200, editable=False)
    sealed_previous_secret = models.CharField(max_length=200, blank=True, editable=False)
    previous_secret_ends_at = models.DateTimeField(null=True, editable=False)
    event_types = ArrayField(
        models.CharField(max_length=32, choices=EventType.choices),
        default=list,
        blank=True,
        help_text="Empty: all of them.",
    )
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(
        null=True, help_text="the first failed attempt since the last that was accepted"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed_previous_secret="", previous_secret_ends_at__isnull=True)
                | (~Q(sealed_previous_secret="") & Q(previous_secret_ends_at__isnull=False)),
                name="previous_secrets_end",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """What signs."""
        return secret_open(self.sealed_secret, endpoint_id=self.id)

    @secret.setter
    def secret(self, secret: str) -> None:
        self.sealed_secret = secret_seal(secret, endpoint_id=self.id)

    @property
    def previous_secret(self) -> str:
        """What signs too while it is rotated; empty where none is."""
        sealed = self.sealed_previous_secret
        return secret_open(sealed, endpoint_id=self.id) if sealed else ""


def secret_seal(secret: str, *, endpoint_id: UUID) -> str:
    """The secret as the row of that endpoint has it."""
    return seal(secret.encode(), purpose=secret_purpose(endpoint_id))


def secret_open(sealed: str, *, endpoint_id: UUID) -> str:
    """The secret of that endpoint. Raises `config.sealing.SealBroken`."""
    return unseal(sealed, purpose=secret_purpose(endpoint_id)).decode()


def secret_purpose(endpoint_id: UUID) -> str:
    """What a secret of that endpoint is sealed for."""
    return f"webhook secret of {endpoint_id}"


class Event(models.Model):
    """Something that happened to a job or to an endpoint; the id is webhook-id.

    `sequence` counts the events of a job from 1; what belongs to no job has 0.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    job = models.ForeignKey(
        "jobs.Job", on_delete=models.PROTECT, null=True, related_name="events", db_index=False
    )
    type = models.CharField(max_length=32, choices=EventType.choices)
    sequence = models.PositiveIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "created_at"], name="event_of_tenant")]
        constraints = [
            models.CheckConstraint(
                condition=Q(job__isnull=True, sequence=0) | Q(job__isnull=False, sequence__gte=1),
                name="events_of_jobs_are_counted",
            ),
            models.UniqueConstraint(fields=["job", "sequence"], name="event_sequence_once_per_job"),
            # A job ends once, so it is told once.
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(
                    type__in=["job.succeeded", "job.blocked", "job.failed", "job.canceled"]
                ),
                name="one_terminal_event_per_job",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.sequence}"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """One event on its way to one endpoint; the retry is this row, never a delayed message.

    `under_way`: its message was sent, and until `next_attempt_at` it counts against the bound of
    its endpoint. A message that is lost is due again at that time.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    attempts_before_replay = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    under_way = models.BooleanField(default=False, db_default=False)
    token = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="one_delivery_per_endpoint"),
            models.CheckConstraint(
                condition=(
                    Q(status=DeliveryStatus.PENDING, next_attempt_at__isnull=False)
                    | (~Q(status=DeliveryStatus.PENDING) & Q(next_attempt_at__isnull=True))
                ),
                name="pending_deliveries_have_a_time",
            ),
            models.CheckConstraint(
                condition=Q(under_way=False) | Q(status=DeliveryStatus.PENDING),
                name="only_pending_deliveries_are_under_way",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status=DeliveryStatus.PENDING),
                name="delivery_due_of_endpoint",
            ),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status=DeliveryStatus.PENDING),
                name="delivery_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One try: what was answered, or why nothing was."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    duration = models.DurationField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    answer = models.TextField(blank=True, help_text="the beginning of the body that came back")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status_code or self.error}"
