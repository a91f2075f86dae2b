"""Endpoints, events, deliveries and the log of their attempts.

An event is written in the transaction of the transition it tells of, with one delivery row per
endpoint that wants it. A delivery moves

    pending ─► delivered
       │  ▲ retried at `next_attempt_at`
       └─► failed   (attempts used up, or the endpoint was disabled)
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.identifiers import uuid7


class EventType(models.TextChoices):
    """What an endpoint can subscribe to."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_BLOCKED = "job.blocked"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_NEEDS_REVIEW = "job.needs_review"


class Endpoint(models.Model):
    """A URL of a tenant that receives events, signed with its secret (Standard Webhooks)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.CASCADE, related_name="endpoints"
    )
    url = models.URLField(max_length=2000)
    secret = models.CharField(max_length=100, editable=False)
    event_types = ArrayField(
        models.CharField(max_length=32, choices=EventType.choices),
        default=list,
        blank=True,
        help_text="Empty: all of them.",
    )
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url


class Event(models.Model):
    """Something that happened to a job. `sequence` counts within the job; the id is webhook-id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(
        "jobs.Job", on_delete=models.PROTECT, related_name="events", db_index=False
    )
    type = models.CharField(max_length=32, choices=EventType.choices)
    sequence = models.PositiveIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
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
    """One event on its way to one endpoint; the retry is this row, never a delayed message."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
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
        ]
        indexes = [
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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status_code or self.error}"
