"""What the pages of the desk show. Every list has a bound: no page costs more in a long queue."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from desk.choosing import VERDICTS, repairable
from desk.diffs import words_diff
from desk.models import Category, Choice, ItemKind, ReviewItem, Verdict, review_permission
from desk.nearness import near_pictures
from desk.reviewers import settings_of
from desk.second_looks import golden_possible, is_blind
from desk.taking import queues_of
from jobs.models import Picture
from moderation.cards import VersionCard, sent_cards, version_card

SHOWN: Final = 8
"""Rows of a list on the page of an item."""
COUNTED: Final = 100
"""Counts go so far, then they say "99+": counting a long queue whole would take longer."""

REASONS: Final = (
    "False alarm: nothing of the kind is shown.",
    "Shown, but within the policy.",
    "Shows what the policy refuses.",
    "Not what was asked for, and harmful.",
)


@dataclass(frozen=True, slots=True)
class Button:
    """What can be chosen: its key on the keyboard, and how it looks."""

    verdict: Verdict
    label: str
    key: str
    style: str = ""


_LABELS: Final = {
    (ItemKind.PICTURE, Verdict.ALLOW): "Release",
    (ItemKind.PROMPT, Verdict.ALLOW): "Paint as written",
    (ItemKind.REPORT, Verdict.ALLOW): "It stays out",
    (ItemKind.REPORT, Verdict.BLOCK): "Withdraw",
    (ItemKind.SAMPLE, Verdict.ALLOW): "It stays out",
    (ItemKind.SAMPLE, Verdict.BLOCK): "Withdraw",
    (ItemKind.APPEAL, Verdict.ALLOW): "Accept the appeal",
    (ItemKind.APPEAL, Verdict.BLOCK): "Refuse the appeal",
}
_KEYS: Final = {Verdict.ALLOW: ("r", "go"), Verdict.BLOCK: ("b", "stop")}


def buttons_of(item: ReviewItem) -> list[Button]:
    """The verdicts on an item, in the order of `Verdict`."""
    allowed = VERDICTS.get(item.kind, frozenset())
    return [
        Button(
            verdict,
            _LABELS.get((ItemKind(item.kind), verdict), verdict.label),
            *_KEYS[verdict],
        )
        for verdict in Verdict
        if verdict in allowed and verdict in _KEYS
    ]


def item_context(item: ReviewItem, user: User) -> dict[str, Any]:
    """For the template `desk/item.html`. `item` comes with job, tenant, policy and picture."""
    job, picture = item.job, item.picture
    verdict = job.text_verdict or {}
    used = (picture.prompt if picture else "") or verdict.get("prompt") or job.prompt
    blind = is_blind(item)
    holds = (
        item.holder_id == user.pk
        and item.held_until is not None
        and item.held_until > timezone.now()
    )
    return {
        "title": f"{item.get_kind_display()}: {item.category}",
        "item": item,
        "job": job,
        "picture": picture,
        "versions": _versions(picture),
        "sent": sent_cards(job),
        "verdict": verdict,
        "diff": words_diff(job.prompt, used),
        "changed": used != job.prompt and job.erased_at is None,
        "decisions": []
        if blind
        else job.decisions.filter(picture=picture)
        .select_related("actor", "policy_version__policy")
        .order_by("id")[:50],
        "blind": blind,
        "near": [] if blind else _near(picture),
        "repairable": holds and item.kind == ItemKind.PICTURE and repairable(item),
        "used": used,
        "golden_possible": user.has_perm("desk.lead") and golden_possible(item),
        "reports": picture.reports.filter(answer=None)[:SHOWN] if picture else [],
        "same_prompt": _closed(item, blind, prompt_digest=item.prompt_digest),
        "of_tenant": _closed(item, blind, tenant=item.tenant_id),
        "looks": item.choices.filter(undone_at=None, settled_at__isnull=False)
        .exclude(verdict=Verdict.HAND_BACK)
        .select_related("user"),
        "holds": holds,
        "late": item.due_at < timezone.now(),
        "buttons": buttons_of(item) if holds else [],
        "reasons": REASONS,
        "undo_seconds": f"{settings.ENVIRONMENT.moderator_undo_seconds:g}",
        "can_see_raw": user.has_perm("moderation.view_raw_picture"),
        "undoable": undoable(user),
    }


def home_context(user: User) -> dict[str, Any]:
    """For the template `desk/home.html`."""
    own = settings_of(user)
    open_to = set(queues_of(user))
    may = [c for c in Category if user.has_perm(f"desk.{review_permission(c.value)}")]
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    choices = user.choices.filter(chosen_at__gte=today)
    seconds = choices.aggregate(sum=Sum("seconds"))["sum"] or 0.0
    return {
        "title": "Review desk",
        "queues": [
            {
                "category": c.value,
                "waiting": _waiting_in(c.value),
                "on": c.value in open_to,
            }
            for c in may
        ],
        "held": user.held_items.filter(closed_at=None, held_until__gt=timezone.now()).first(),
        "settings": own,
        "minutes": round(seconds / 60),
        "decided": choices.exclude(verdict__in=[Verdict.HAND_BACK, Verdict.ESCALATE]).count(),
        "undoable": undoable(user),
        "undo_seconds": f"{settings.ENVIRONMENT.moderator_undo_seconds:g}",
    }


def items_open_to(user: User, **of: Any) -> QuerySet[ReviewItem]:
    """What waits of a subject (`job=`, `picture=`, `kind=`) in the queues of a person who may
    decide, as far as they may decide it themselves; golden items are told apart nowhere, and are
    none of it."""
    if not user.has_perm("moderation.decide"):
        return ReviewItem.objects.none()
    may = [c for c in Category.values if user.has_perm(f"desk.{review_permission(c)}")]
    waiting = ReviewItem.objects.filter(
        closed_at=None, settles_at=None, expected="", category__in=may, **of
    )
    if not user.has_perm("desk.lead"):
        waiting = waiting.filter(for_lead=False)
    return waiting.exclude(closed_to__contains=[user.pk])


def undoable(user: User) -> QuerySet[Choice]:
    """The person's choices that are not carried out yet, the newest first."""
    since = timezone.now() - timedelta(seconds=settings.ENVIRONMENT.moderator_undo_seconds)
    return (
        user.choices.filter(chosen_at__gt=since, undone_at=None, settled_at=None)
        .select_related("item")
        .order_by("-id")[:SHOWN]
    )


def waiting_of_kind(kind: ItemKind) -> str:
    """How many open items there are of that kind, as text."""
    # In the order of an index: prepared, a plan that does not know the kind would read the table.
    return _counted(ReviewItem.objects.filter(closed_at=None, kind=kind).order_by("rank"))


def _waiting_in(category: str) -> str:
    return _counted(
        ReviewItem.objects.filter(
            closed_at=None, settles_at=None, for_lead__in=[False, True], category=category
        ).order_by()
    )


def _counted(items: QuerySet[ReviewItem]) -> str:
    number = items[:COUNTED].count()
    return "99+" if number == COUNTED else str(number)


@dataclass(frozen=True, slots=True)
class Near:
    """A near-identical picture, and the item by which a person looks at it, where there is one."""

    picture: Picture
    distance: int
    item: ReviewItem | None

    @property
    def waits(self) -> bool:
        """Whether it can be decided likewise."""
        return (
            self.item is not None
            and self.item.closed_at is None
            and self.item.settles_at is None
            and self.item.kind == ItemKind.PICTURE
        )


def _near(picture: Picture | None) -> list[Near]:
    found = near_pictures(picture)[:SHOWN]
    ids = [one.picture_id for one in found]
    pictures = Picture.objects.select_related("job").in_bulk(ids)
    items = {
        item.picture_id: item
        for item in ReviewItem.objects.filter(picture__in=ids, expected="").order_by("entered_at")
    }
    return [
        Near(pictures[one.picture_id], one.distance, items.get(one.picture_id)) for one in found
    ]


def _versions(picture: Picture | None) -> list[VersionCard]:
    if picture is None:
        return []
    return [version_card(picture, version, picture.job) for version in picture.versions.all()]


def _closed(item: ReviewItem, blind: bool, **of: Any) -> QuerySet[ReviewItem]:
    """What people decided of these before, the last first; `blind`: nothing of the same job."""
    closed = ReviewItem.objects.filter(closed_at__isnull=False, expected="", **of)
    return (
        (closed.exclude(job=item.job_id) if blind else closed)
        .exclude(pk=item.pk)
        .exclude(closed_by=None)
        .select_related("closed_by", "picture", "job")
        .prefetch_related("choices")
        .order_by("-closed_at")[:SHOWN]
    )
