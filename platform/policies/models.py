"""What becomes of policies: drafts, which tenant is under which version when, and drafts that judge
live traffic without acting. The versions themselves are in `moderation`."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.identifiers import uuid7
from ethical_lens.policy import Policy as PolicyDocument
from moderation.models import PolicyVersion


class PolicyDraft(models.Model):
    """A document that becomes a version when it is published.

    draft (edited, also by others) ─► published as a version, never edited again
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    policy = models.ForeignKey("moderation.Policy", on_delete=models.PROTECT, related_name="drafts")
    note = models.CharField(max_length=200, help_text="What it is to change, in a few words.")
    document = models.JSONField(help_text="ethical_lens.policy.Policy as JSON")
    based_on = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    authors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(auto_now=True)
    published_as = models.OneToOneField(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="draft"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("author_policy", "Can write drafts of policies and let them judge without acting"),
            ("publish_policy", "Can publish drafts that others wrote, and roll back"),
            ("assign_policy", "Can give tenants a version of a policy"),
            ("run_what_if", "Can ask what a policy would have decided"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(published_as=None, published_by=None, published_at=None)
                | Q(
                    published_as__isnull=False,
                    published_by__isnull=False,
                    published_at__isnull=False,
                ),
                name="drafts_are_published_by_somebody_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.name}: {self.note}"

    @property
    def parsed(self) -> PolicyDocument:
        """The document as the typed policy of the method."""
        return PolicyDocument.model_validate(self.document)


class PolicyAssignment(models.Model):
    """From when on jobs of a tenant are judged by a version.

    Of those that have begun and were not withdrawn, the one with the latest start holds; before
    the first one it is the version the tenant was made with.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="assignments"
    )
    starts_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [
            models.Index(
                fields=["tenant", "-starts_at", "-id"],
                condition=Q(withdrawn_at=None),
                name="assignment_of_tenant",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__lt=models.F("starts_at")),
                name="assignments_are_withdrawn_before_they_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.policy_version} from {self.starts_at:%Y-%m-%d %H:%M}"


class PolicyShadow(models.Model):
    """A document that judges live traffic of a tenant, or of all, without acting.

    running ─► ended. It keeps its own copy of the document: the draft may be edited meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, related_name="shadows")
    document = models.JSONField()
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant"], condition=Q(ended_at=None), name="shadow_running"),
        ]

    def __str__(self) -> str:
        return f"{self.draft} on {self.tenant or 'all tenants'}"


class ShadowVerdict(models.Model):
    """What a shadow would have made of a prompt or, with `picture`, of a picture, beside what was
    made of it. Overwritten while the job goes on; nothing reads it but its page."""

    shadow = models.ForeignKey(
        PolicyShadow, on_delete=models.CASCADE, related_name="verdicts", db_index=False
    )
    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="+")
    picture = models.ForeignKey(
        "jobs.Picture", on_delete=models.CASCADE, null=True, related_name="+"
    )
    live = models.CharField(max_length=16)
    live_reason = models.CharField(max_length=64)
    shadowed = models.CharField(max_length=16)
    shadowed_reason = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shadow", "job", "picture"],
                name="shadow_judges_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.live} → {self.shadowed}"
