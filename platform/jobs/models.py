"""The rows of a job. They declare; services, claims and recording move them.

The state diagrams stand in `jobs.states`, the order of stages in `jobs.stages`. A foreign key with
which another index begins has none of its own (`db_index=False`): every write would keep both.
"""

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from config.identifiers import uuid7
from jobs.stages import StageName
from jobs.states import IN_FLIGHT, TERMINAL, JobStatus, PictureStatus, StageState

TERMINAL_VALUES = sorted(TERMINAL)
IN_FLIGHT_VALUES = sorted(IN_FLIGHT)


def _within(
    field: str, low: float, high: float, *, painted: bool = False
) -> models.CheckConstraint:
    """Of every job, or of those alone that paint."""
    within = Q(**{f"{field}__gte": low, f"{field}__lte": high})
    return models.CheckConstraint(
        condition=within | Q(n=0) if painted else within, name=f"job_{field}_in_range"
    )


class Job(models.Model):
    """A request for `n` pictures, under the policy version that held when it was submitted.

    A job of no pictures is one of scrutiny alone: of its prompt, and of the pictures sent with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="jobs", db_index=False
    )
    api_key = models.ForeignKey(
        "accounts.APIKey",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # keys are not deleted
    )
    policy_version = models.ForeignKey(
        "moderation.PolicyVersion", on_delete=models.PROTECT, related_name="+"
    )
    replay_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replays",
        db_index=False,
        help_text="the job that this one repeats: seed, policy version and draws are its own",
    )
    traceparent = models.CharField(
        max_length=55,
        blank=True,
        default="",
        db_default="",
        help_text="the trace that it was submitted in",
    )
    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    model = models.CharField(max_length=100)
    lora = models.CharField(max_length=50, blank=True, help_text="LoRA weights, by name")
    n = models.PositiveSmallIntegerField(validators=[MinValueValidator(0), MaxValueValidator(10)])
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    steps = models.PositiveSmallIntegerField()
    guidance_scale = models.FloatField()
    strength = models.FloatField(
        null=True, help_text="how far what was sent goes back to noise; null: nothing is painted on"
    )
    seed = models.BigIntegerField(help_text="of picture 0; picture i is painted with seed + i")
    priority = models.PositiveSmallIntegerField(default=5)

    status = models.CharField(max_length=16, choices=JobStatus.choices, default=JobStatus.QUEUED)
    reason = models.CharField(max_length=64, blank=True, help_text="a stable code, at an end")
    explanation = models.TextField(blank=True)
    text_verdict = models.JSONField(null=True, help_text="ethical_lens.results.TextVerdict")
    created_at = models.DateTimeField(auto_now_add=True)
    events_told = models.PositiveSmallIntegerField(default=0, help_text="number of its last event")
    admitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True, help_text="canceled then, unless it has ended")
    erased_at = models.DateTimeField(
        null=True, help_text="its pictures and texts are gone, after the time its policy keeps them"
    )

    written: "Sequence[Picture]" = ()
    """The pictures that were just submitted with it, for an answer that need not read them."""

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-id"], name="job_of_tenant"),
            models.Index(fields=["tenant", "status", "-id"], name="job_of_tenant_by_status"),
            models.Index(fields=["tenant", "-id"], condition=Q(n=0), name="job_of_scrutiny_alone"),
            models.Index(
                fields=["tenant"],
                condition=Q(admitted_at__isnull=False, status__in=IN_FLIGHT_VALUES),
                name="job_in_flight",
            ),
            models.Index(
                fields=["api_key"],
                condition=Q(status__in=IN_FLIGHT_VALUES),
                name="job_in_flight_of_key",
            ),
            models.Index(
                fields=["cancel_at"],
                condition=Q(cancel_at__isnull=False, ended_at__isnull=True),
                name="job_to_cancel",
            ),
            models.Index(
                fields=["policy_version", "ended_at"],
                condition=Q(ended_at__isnull=False, erased_at__isnull=True),
                name="job_to_erase",
            ),
            models.Index(
                fields=["replay_of"],
                condition=Q(replay_of__isnull=False),
                name="job_replays",
            ),
        ]
        constraints = [
            _within("n", 0, 10),
            _within("width", 64, 1024, painted=True),
            _within("height", 64, 1024, painted=True),
            _within("steps", 1, 100, painted=True),
            _within("guidance_scale", 0, 30),
            models.CheckConstraint(
                condition=Q(strength__isnull=True) | Q(strength__gt=0, strength__lte=1),
                name="job_strength_in_range",
            ),
            _within("seed", 0, 2**32 - 1),
            _within("priority", 0, 9),
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="job_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL_VALUES, ended_at__isnull=False)
                | (~Q(status__in=TERMINAL_VALUES) & Q(ended_at__isnull=True)),
                name="job_ended_at_its_end",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(ended_at__isnull=False, prompt="", negative_prompt=""),
                name="what_is_erased_has_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def scrutiny_alone(self) -> bool:
        """Whether nothing is painted."""
        return self.n == 0


class SentPicture(models.Model):
    """A picture that came with a job, in quarantine: to be judged before anything else, and painted
    on where the job paints. What a mask shows white or transparent is painted anew.

    `key` names the object by job, place and digest; it is empty until what `url` leads to was
    fetched. `verdict` is that of `inspect`.
    """

    class Role(models.TextChoices):
        PICTURE = "picture"
        MASK = "mask"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="sent", db_index=False)
    index = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.PICTURE)
    url = models.TextField(blank=True, help_text="where it is fetched from; empty: it was uploaded")
    key = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0, help_text="bytes")
    verdict = models.JSONField(null=True, help_text="ethical_lens.results.PictureVerdict")

    class Meta:
        ordering = ["job", "index"]
        constraints = [
            models.UniqueConstraint(fields=["job", "index"], name="sent_index_once"),
            models.CheckConstraint(
                condition=Q(key__startswith="quarantine/") | (Q(key="") & ~Q(url="")),
                name="sent_pictures_stay_in_quarantine",
            ),
        ]
        indexes = [models.Index(fields=["key"], condition=~Q(key=""), name="sent_key")]

    def __str__(self) -> str:
        return f"picture {self.index} sent with {self.job_id}"


class Picture(models.Model):
    """One of a job's pictures; it owns its prompt, its draws and its rounds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    index = models.PositiveSmallIntegerField()
    status = models.CharField(
        max_length=16, choices=PictureStatus.choices, default=PictureStatus.PENDING
    )
    round = models.PositiveSmallIntegerField(default=1)
    prompt = models.TextField(blank=True, help_text="what this round is painted from")
    draws = models.JSONField(
        null=True, help_text="a list of ethical_lens.results.AttributeDraw; null: not drawn yet"
    )
    seed = models.BigIntegerField()
    steps_done = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=64, blank=True)
    current = models.ForeignKey(
        "jobs.PictureVersion", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    cleared_by = models.ForeignKey(
        "moderation.Decision",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the recorded verdict that lets it out; empty: it stays in quarantine",
    )
    released_key = models.CharField(max_length=300, blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["job", "index"]
        constraints = [
            models.UniqueConstraint(fields=["job", "index"], name="picture_index_once"),
            models.CheckConstraint(
                condition=Q(status__in=PictureStatus.values), name="picture_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=PictureStatus.RELEASED)
                | Q(
                    released_key__startswith="released/",
                    released_at__isnull=False,
                    current__isnull=False,
                    cleared_by__isnull=False,
                ),
                name="nothing_is_released_without_a_verdict",
            ),
        ]
        indexes = [
            models.Index(
                fields=["released_key"], condition=~Q(released_key=""), name="picture_released_key"
            ),
        ]

    def __str__(self) -> str:
        return f"picture {self.index} of {self.job_id}"


class PictureVersion(models.Model):
    """The picture as it was painted, blurred or edited in one round, in quarantine.

    `key` names the object by job, picture, round and digest; `verdict` is the last one on it.
    """

    class Kind(models.TextChoices):
        PAINTED = "painted"
        BLURRED = "blurred"
        RETOUCHED = "retouched", "blurred by a moderator"
        EDITED = "edited"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    picture = models.ForeignKey(
        Picture, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    round = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    prompt = models.TextField()
    key = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="bytes")
    verdict = models.JSONField(null=True, help_text="ethical_lens.results.PictureVerdict")
    model_digests = models.JSONField(default=dict, help_text="of what painted it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["picture", "round", "kind"], name="version_once_per_round_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="version_sha256"
            ),
            models.CheckConstraint(
                condition=Q(key__startswith="quarantine/"), name="versions_stay_in_quarantine"
            ),
        ]
        indexes = [models.Index(fields=["key"], name="version_key")]

    def __str__(self) -> str:
        return f"{self.kind} in round {self.round}"


class StageRun(models.Model):
    """A stage of a job in one round: claimed by a lease with a fencing token, finished once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="stages", db_index=False)
    stage = models.CharField(max_length=16, choices=StageName.choices)
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=StageState.choices, default=StageState.WAITING)
    batch_key = models.CharField(
        max_length=200, blank=True, help_text="stages with the same key may run together"
    )
    alone = models.BooleanField(default=False, help_text="its last attempt ended badly: no batch")
    attempts = models.PositiveSmallIntegerField(default=0)
    outages = models.PositiveSmallIntegerField(
        default=0, help_text="failures of outside systems, which cost no attempt"
    )
    error = models.TextField(blank=True)

    token = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True)

    ready_at = models.DateTimeField(null=True, help_text="not to be claimed before")
    driven_at = models.DateTimeField(null=True, help_text="last sent to, or reached by, the broker")
    redrives = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "stage", "round"], name="stage_once_per_round"),
            models.UniqueConstraint(fields=["job", "position"], name="stage_position_once"),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(state__in=["ready", "running"]),
                name="one_open_stage_per_job",
            ),
            models.CheckConstraint(
                condition=Q(state=StageState.RUNNING, lease_expires_at__isnull=False)
                | (~Q(state=StageState.RUNNING) & Q(lease_expires_at__isnull=True)),
                name="leases_belong_to_running_stages",
            ),
        ]
        indexes = [
            models.Index(
                fields=["stage", "batch_key", "ready_at"],
                condition=Q(state=StageState.READY),
                name="stage_ready",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(state=StageState.RUNNING),
                name="stage_leased",
            ),
            models.Index(
                fields=["driven_at"],
                condition=Q(state=StageState.READY, driven_at__isnull=False),
                name="stage_driven",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.round} of {self.job_id}: {self.state}"


class JobEvent(models.Model):
    """One thing that happened to a job, numbered without gaps: it moved, or was decided upon.

    Written by triggers alone, whoever moves the job, and told on the channel `job`. Number 0, that
    it was submitted, is the job itself.
    """

    pk = models.CompositePrimaryKey("job_id", "sequence")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log", db_index=False)
    sequence = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=16, blank=True, choices=JobStatus.choices)
    reason = models.CharField(max_length=64, blank=True)
    decision = models.ForeignKey(
        "moderation.Decision",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,  # decisions are never deleted
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sequence} of {self.job_id}"


class Outbox(models.Model):
    """A job whose remaining chain is to be sent to the broker. Sent rows are deleted.

    A row with `admission` waits for a place in the dispatch window; the others belong to jobs
    that have one and go out as soon as they are available.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="+", primary_key=True)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.CASCADE, related_name="+")
    priority = models.PositiveSmallIntegerField()
    admission = models.BooleanField()
    available_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(
                F("tenant"), F("priority").desc(), F("job"),
                condition=Q(admission=True),
                name="outbox_waiting",
            ),
            models.Index(
                fields=["available_at"], condition=Q(admission=False), name="outbox_continuing"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"chain of {self.job_id}"


class Deck(models.Model):
    """The cards left for one kind of person of a tenant under a policy version."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.CASCADE, related_name="+")
    policy_version = models.ForeignKey(
        "moderation.PolicyVersion", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=100)
    cards = models.JSONField(null=True, help_text="ethical_lens.text.deck.Deck")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "policy_version", "kind"], name="deck_once_per_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class UsageRecord(models.Model):
    """What a job is charged for; one row, written in its terminal transaction."""

    job = models.OneToOneField(
        Job, on_delete=models.PROTECT, primary_key=True, related_name="usage"
    )
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    pictures_painted = models.PositiveSmallIntegerField()
    pictures_released = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.pictures_painted} painted, {self.pictures_released} released"


class Worker(models.Model):
    """The health row of a worker process, renewed by its heartbeat."""

    name = models.CharField(max_length=200, primary_key=True)
    queues = ArrayField(models.CharField(max_length=32))
    ready = models.BooleanField(default=False, help_text="all its models are loaded")
    load_seconds = models.JSONField(default=dict, help_text="how long each model took to load")
    running = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
