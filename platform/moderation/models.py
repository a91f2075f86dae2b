"""Policies in immutable versions, append-only decisions, and who looked at a raw picture.

Immutability is kept by database triggers (see the migrations), not by good behaviour here.
"""

from enum import StrEnum

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.identifiers import uuid7
from ethical_lens.policy import Policy as PolicyDocument


class Policy(models.Model):
    """A named policy; what it says stands in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """One version of a policy. Never changed: a new version is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField(help_text="ethical_lens.policy.Policy as JSON")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.policy.name} v{self.number}"

    @property
    def parsed(self) -> PolicyDocument:
        """The document as the typed policy of the method."""
        return PolicyDocument.model_validate(self.document)


class PolicyEvaluation(models.Model):
    """A report of `ethical_lens.evaluation` that hangs on a version: kept whole, never changed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="evaluations"
    )
    run = models.CharField(max_length=64, help_text="its folder in EVALUATIONS_FOLDER")
    sha256 = models.CharField(max_length=64, help_text="of the report's tables.json")
    report = models.JSONField()
    attached_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy_version", "sha256"], name="report_attached_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} ({self.sha256[:8]})"


class DecisionStage(models.TextChoices):
    """Where in a job's way something was decided."""

    ALIGN = "align"
    INSPECT = "inspect"
    REVISE = "revise"
    GENERATE = "generate"
    SCRUTINISE = "scrutinise"
    EDIT = "edit"
    REVIEW = "review"
    RELEASE = "release"


class DecisionAction(models.TextChoices):
    """What was decided."""

    ALLOW = "allow"
    REWRITE = "rewrite"
    BLUR = "blur"
    EDIT = "edit"
    REPAINT = "repaint"
    REVIEW = "review"
    RELEASE = "release"
    BLOCK = "block"


class Decision(models.Model):
    """One step of the record: subject, actor, what was seen, by which rules, what was decided.

    Append-only: triggers refuse update, delete and truncate. Prompts are referenced through the
    job, not copied, so that erasing them stays possible.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(
        "jobs.Job", on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    picture = models.ForeignKey(
        "jobs.Picture", on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    stage = models.CharField(max_length=16, choices=DecisionStage.choices)
    round = models.PositiveSmallIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: the system.",
    )
    action = models.CharField(max_length=16, choices=DecisionAction.choices)
    reason = models.CharField(max_length=64, help_text="a stable code")
    explanation = models.TextField()
    labels = ArrayField(models.CharField(max_length=4), default=list)
    factors = ArrayField(models.CharField(max_length=4), default=list)
    scores = models.JSONField(default=dict)
    thresholds = models.JSONField(default=dict)
    findings = ArrayField(models.CharField(max_length=16), default=list)
    faces = models.JSONField(
        default=list, help_text="the faces that were read: ethical_lens.results.ReadFace as JSON"
    )
    model_digests = models.JSONField(default=dict)
    object_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the picture that was judged"
    )
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replaced_by",
        db_index=False,
        help_text="the decision on the same job that holds no longer because of this one",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        permissions = [
            ("decide", "Can release and block pictures and prompts"),
            ("export_decisions", "Can export decisions"),
        ]
        indexes = [
            models.Index(fields=["job", "id"], name="decision_story"),
            models.Index(
                fields=["replaces"],
                condition=Q(replaces__isnull=False),
                name="decision_replacing",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(stage=DecisionStage.REVIEW) | Q(actor__isnull=False),
                name="reviews_name_their_moderator",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.get_action_display()} ({self.reason})"


class AppealState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Appeal(models.Model):
    """A tenant's word against one decision to block, and the decision that answers it.

    open ─► accepted / refused, by the action of its answer
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="appeals")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="appeal")
    statement = models.TextField()
    answer = models.OneToOneField(
        Decision, on_delete=models.PROTECT, null=True, related_name="answers"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__isnull=True, answered_at__isnull=True)
                | Q(answer__isnull=False, answered_at__isnull=False),
                name="appeals_are_answered_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(answer__isnull=True), name="appeal_open"),
        ]

    def __str__(self) -> str:
        return f"appeal of {self.job_id}"

    @property
    def state(self) -> AppealState:
        if self.answer is None:
            return AppealState.OPEN
        accepted = self.answer.action in {DecisionAction.ALLOW, DecisionAction.RELEASE}
        return AppealState.ACCEPTED if accepted else AppealState.REFUSED


class ReportReason(models.TextChoices):
    """What somebody says is wrong with a picture."""

    SEXUAL = "sexual"
    MINOR = "minor"
    VIOLENCE = "violence"
    HATE = "hate"
    PERSON = "person", "shows a real person"
    ILLEGAL = "illegal"
    OTHER = "other"


class Report(models.Model):
    """A platform's word that a picture which is out should not be; a person looks, and answers.

    Open until `answer`, the decision that ended it; one decision may answer several.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    picture = models.ForeignKey("jobs.Picture", on_delete=models.PROTECT, related_name="reports")
    reason = models.CharField(max_length=16, choices=ReportReason.choices)
    text = models.TextField(blank=True)
    reporter = models.CharField(
        max_length=100, blank=True, help_text="who saw it, in the platform's own reference"
    )
    object_digest = models.CharField(max_length=64, help_text="SHA-256 of what was out then")
    answer = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__isnull=True, answered_at__isnull=True)
                | Q(answer__isnull=False, answered_at__isnull=False),
                name="reports_are_answered_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["picture", "reason", "reporter"],
                condition=Q(answer__isnull=True),
                name="one_open_report_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(answer__isnull=True), name="report_open"),
        ]

    def __str__(self) -> str:
        return f"{self.reason}, picture {self.picture_id}"


class RawPictureView(models.Model):
    """Who looked at a picture that was not released, or at one that was sent, and when."""

    picture = models.ForeignKey(
        "jobs.Picture", on_delete=models.PROTECT, null=True, related_name="raw_views"
    )
    sent = models.ForeignKey(
        "jobs.SentPicture", on_delete=models.PROTECT, null=True, related_name="raw_views"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    object_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = [("view_raw_picture", "Can look at pictures that are not released")]
        constraints = [
            models.CheckConstraint(
                condition=Q(picture__isnull=False, sent__isnull=True)
                | Q(picture__isnull=True, sent__isnull=False),
                name="looks_are_at_one_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.created_at:%Y-%m-%d %H:%M}"
