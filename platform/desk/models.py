"""The queue of the desk: one row per subject that waits, or waited, for a person."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from config.identifiers import uuid7


class ItemKind(models.TextChoices):
    """What a person is asked to look at."""

    PICTURE = "picture"
    PROMPT = "prompt"
    APPEAL = "appeal"
    REPORT = "report"
    SAMPLE = "sample"


OF_A_PICTURE = [ItemKind.PICTURE, ItemKind.REPORT, ItemKind.SAMPLE]


class Category(models.TextChoices):
    """The queues: the concepts of the heads, then texts, then what no judgement was reached on."""

    NSFW = "nsfw"
    NUDE = "nude"
    PUBLIC = "public"
    POLITIC = "politic"
    CULTURE = "culture"
    TEXT = "text"
    ERROR = "error"


class Severity(models.IntegerChoices):
    LOW = 1
    MIDDLE = 2
    HIGH = 3
    HIGHEST = 4


def review_permission(category: str) -> str:
    """The permission to take items of a queue, e.g. `review_nude`."""
    return f"review_{category}"


class ReviewItem(models.Model):
    """A subject that waits for a person.

    waiting ─► held by one person until `held_until` ─► chosen until `settles_at` ─► closed
       ▲            │ handed back, or the lock expired      │ undone: held again
       └────────────┘ escalated: it waits for a lead        ▼

    Written and closed in the transactions that make the subject wait and decide it
    (`desk.entering`); taken under a guard (`desk.taking`). `rank` is what is taken first: the
    earliest. It is the time by which an answer is due, less the head start of the tenant, so that
    severity, age and tenant make one order that never has to be written anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=ItemKind.choices)
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    job = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="review_items")
    picture = models.ForeignKey(
        "jobs.Picture", on_delete=models.PROTECT, null=True, related_name="review_items"
    )
    appeal = models.OneToOneField(
        "moderation.Appeal", on_delete=models.PROTECT, null=True, related_name="review_item"
    )
    category = models.CharField(max_length=8, choices=Category.choices)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    reason = models.CharField(max_length=64, help_text="why it waits: a stable code")
    prompt_digest = models.CharField(
        max_length=64, default="", help_text="SHA-256 of the prompt of the job"
    )
    entered_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="an answer is due by then")
    rank = models.DateTimeField(help_text="the earliest is taken first")
    for_lead = models.BooleanField(default=False, help_text="escalated: for a lead")
    closed_to = ArrayField(
        models.UUIDField(), default=list, help_text="people who may not decide it"
    )
    handed_back_by = ArrayField(
        models.UUIDField(), default=list, help_text="people who are not given it again unasked"
    )
    expected = models.CharField(
        max_length=9,
        blank=True,
        help_text="a golden item: the answer that is known; nothing is done by what is chosen",
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="held_items"
    )
    held_until = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True, help_text="when its last holder took it")
    settles_at = models.DateTimeField(
        null=True, help_text="what was chosen is carried out then, unless it is undone"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["rank"]
        permissions = [
            *(
                (review_permission(category), f"Can review the queue {category}")
                for category in Category.values
            ),
            ("lead", "Can decide what was escalated"),
        ]
        indexes = [
            models.Index(
                fields=["for_lead", "category", "rank"],
                condition=Q(closed_at__isnull=True, settles_at__isnull=True),
                name="review_next",
            ),
            models.Index(
                fields=["settles_at"],
                condition=Q(closed_at__isnull=True, settles_at__isnull=False),
                name="review_to_settle",
            ),
            models.Index(fields=["prompt_digest", "-closed_at"], name="review_of_prompt"),
            models.Index(fields=["tenant", "-closed_at"], name="review_of_tenant"),
            models.Index(
                fields=["kind", "rank"], condition=Q(closed_at__isnull=True), name="review_waiting"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["picture", "kind"],
                condition=Q(closed_at__isnull=True, kind__in=OF_A_PICTURE),
                name="picture_waits_once",
            ),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(closed_at__isnull=True, kind=ItemKind.PROMPT),
                name="prompt_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(holder__isnull=True, held_until__isnull=True)
                | Q(holder__isnull=False, held_until__isnull=False),
                name="locks_have_a_holder_and_an_end",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_PICTURE, picture__isnull=False)
                | Q(kind=ItemKind.PROMPT, picture__isnull=True)
                | Q(kind=ItemKind.APPEAL, appeal__isnull=False),
                name="items_have_their_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.job_id}: {self.reason}"


class TenantWeight(models.Model):
    """How much sooner the items of a tenant are taken: they count as due so much earlier."""

    tenant = models.OneToOneField(
        "accounts.Tenant", on_delete=models.CASCADE, primary_key=True, related_name="review_weight"
    )
    minutes = models.PositiveIntegerField(help_text="of head start in the queue")

    def __str__(self) -> str:
        return f"{self.tenant}: {self.minutes} min"


class Verdict(models.TextChoices):
    """What a person chose. Of an appeal, to allow means that the block was wrong."""

    ALLOW = "allow"
    BLOCK = "block"
    BLUR = "blur"
    REPAINT = "repaint"
    ESCALATE = "escalate"
    HAND_BACK = "hand_back"


class Choice(models.Model):
    """What a person chose for an item, and the time they spent on it.

    chosen ─► undone, or settled: carried out (`decision` names what was recorded) or overtaken by
    what somebody else did to the subject.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="choices")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="choices", db_index=False
    )
    version = models.ForeignKey(
        "jobs.PictureVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="what the picture looked like when this was chosen",
    )
    verdict = models.CharField(max_length=9, choices=Verdict.choices)
    explanation = models.TextField(blank=True)
    prompt = models.TextField(blank=True, help_text="what it is to be repainted from")
    blurred = models.JSONField(
        null=True, help_text="jobs.storage.StoredObject, and `of`: the digest of its original"
    )
    seconds = models.FloatField(help_text="between taking and choosing")
    chosen_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    decision = models.OneToOneField(
        "moderation.Decision", on_delete=models.PROTECT, null=True, related_name="choice"
    )

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["user", "chosen_at"], name="choice_of_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["item"],
                condition=Q(undone_at__isnull=True, settled_at__isnull=True),
                name="one_choice_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.user}"


class ReviewerSettings(models.Model):
    """What a person of the desk has set for themselves: queues they are not given, and whether
    previews, which are always blurred, keep their colours."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="review_settings",
    )
    left_out = ArrayField(
        models.CharField(max_length=8, choices=Category.choices),
        default=list,
        blank=True,
        help_text="queues this person is not given",
    )
    colours = models.BooleanField(default=False, help_text="blurred previews are not grey")

    def __str__(self) -> str:
        return f"settings of {self.user}"


class PictureHash(models.Model):
    """The PDQ hash of a picture as it was judged; see `desk.nearness`. Pictures without structure
    have none."""

    version = models.OneToOneField(
        "jobs.PictureVersion", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    pdq = models.BinaryField(help_text="32 bytes")
    bands = ArrayField(models.IntegerField())

    class Meta:
        indexes = [GinIndex(fields=["bands"], name="picture_near")]

    def __str__(self) -> str:
        return bytes(self.pdq).hex()
