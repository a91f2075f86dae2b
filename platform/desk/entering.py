"""What enters the queue of the desk, and leaves it. All run in the transaction of the caller,
which has the job locked: a subject waits exactly while its item is open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from desk.grading import Grade, appeal_grade, last_judgements, picture_grade, text_grade
from desk.models import ItemKind, ReviewItem, Severity, TenantWeight
from desk.second_looks import decided_by
from desk.shares import drawn
from ethical_lens.results import AttributeDraw, TextVerdict
from jobs.models import Job, Picture
from jobs.states import PictureStatus
from moderation.models import Appeal, DecisionStage, Report, ReportReason
from moderation.policies import policy_of_version


def held_enter(job: Job) -> None:
    """Let what a held job waits for enter: its pictures in review, or its prompt before any
    picture was painted. What is open already stays as it is."""
    pictures = list(job.pictures.filter(current__isnull=False))
    if not pictures:
        _enter(job, [_item(job, ItemKind.PROMPT, text_grade(), job.reason)])
        return
    waiting = [
        picture
        for picture in pictures
        if picture.status == PictureStatus.IN_REVIEW and picture.cleared_by_id is None
    ]
    judgements = last_judgements(job.decisions.filter(stage=DecisionStage.SCRUTINISE))
    _enter(
        job,
        [
            _item(
                job,
                ItemKind.PICTURE,
                picture_grade(
                    picture.reason,
                    judgements.get(picture.id),
                    minor=somebody_minor(job, picture),
                ),
                picture.reason,
                picture=picture,
            )
            for picture in waiting
        ],
    )


def appeals_enter(job: Job, appeals: Sequence[Appeal]) -> None:
    """Let appeals enter; who made the decision that is appealed, or chose the same in a first
    look, may not take them."""
    items = []
    for appeal in appeals:
        decision = appeal.decision
        minor = somebody_minor(job, decision.picture)
        item = _item(job, ItemKind.APPEAL, appeal_grade(decision, minor=minor), decision.reason)
        item.appeal, item.picture = appeal, decision.picture
        item.closed_to = list(decided_by(decision))
        items.append(item)
    _enter(job, items)


def report_enter(job: Job, picture: Picture, report: Report) -> None:
    """Let a picture that is out enter, because a platform reported it; further reports of it are
    answered by the same decision. Reports of minors are of the highest severity."""
    grade = _grade_again(job, picture)
    if report.reason == ReportReason.MINOR:
        grade = replace(grade, severity=Severity.HIGHEST)
    elif report.reason == ReportReason.SEXUAL:
        grade = replace(grade, severity=max(grade.severity, Severity.HIGH))
    _enter(job, [_item(job, ItemKind.REPORT, grade, f"reported_{report.reason}", picture)])


def released_enter(job: Job, pictures: Iterable[UUID]) -> None:
    """Let the share of released pictures enter that the policy wants a person to look at. Which
    ones follows from their ids alone: released twice, the same."""
    rate = policy_of_version(job.policy_version_id).review_rate
    chosen = [picture_id for picture_id in pictures if drawn(picture_id, rate)]
    if not chosen:
        return
    items = []
    for picture in job.pictures.filter(pk__in=chosen):
        grade = replace(_grade_again(job, picture), severity=Severity.LOW)
        items.append(_item(job, ItemKind.SAMPLE, grade, "sampled", picture))
    _enter(job, items)


def _grade_again(job: Job, picture: Picture) -> Grade:
    judgement = picture.decisions.filter(stage=DecisionStage.SCRUTINISE).last()
    return picture_grade(picture.reason, judgement, minor=somebody_minor(job, picture))


def somebody_minor(job: Job, picture: Picture | None) -> bool:
    """Whether the prompt, or what was drawn for the picture, says that somebody is under 20.

    Where nothing was read, nobody knows: then yes.
    """
    if job.text_verdict is None:
        return True
    drawn = picture.draws or () if picture is not None else ()
    return TextVerdict.model_validate(job.text_verdict).somebody_under_twenty(
        [AttributeDraw.model_validate(draw) for draw in drawn]
    )


def picture_leave(picture_id: UUID, *, by: User | None) -> None:
    """Close the item of a picture that was decided."""
    _close(ReviewItem.objects.filter(picture=picture_id, kind=ItemKind.PICTURE, expected=""), by)


def released_leave(picture_id: UUID, *, by: User | None) -> None:
    """Close what waited of a picture that is out: reports, and as a sample."""
    kinds = [ItemKind.REPORT, ItemKind.SAMPLE]
    _close(ReviewItem.objects.filter(picture=picture_id, kind__in=kinds), by)


def prompt_leave(job: Job, *, by: User | None) -> None:
    """Close the item of a prompt that was decided."""
    _close(ReviewItem.objects.filter(job=job, kind=ItemKind.PROMPT), by)


def appeal_leave(appeal: Appeal, *, by: User | None) -> None:
    """Close the item of an appeal that was answered."""
    _close(ReviewItem.objects.filter(appeal=appeal), by)


def held_leave(job: Job) -> None:
    """Close what waited of a job that has ended; what concerns its end stays open."""
    _close(
        ReviewItem.objects.filter(
            job=job, kind__in=[ItemKind.PICTURE, ItemKind.PROMPT], expected=""
        ),
        by=None,
    )


def _item(
    job: Job, kind: ItemKind, grade: Grade, reason: str, picture: Picture | None = None
) -> ReviewItem:
    now = timezone.now()
    return ReviewItem(
        kind=kind.value,
        tenant_id=job.tenant_id,
        job=job,
        picture=picture,
        category=grade.category.value,
        severity=grade.severity.value,
        reason=reason,
        prompt_digest=sha256(job.prompt.encode()).hexdigest(),
        entered_at=now,
        due_at=grade.due_at(now),
    )


def _enter(job: Job, items: Iterable[ReviewItem]) -> None:
    items = list(items)
    if not items:
        return
    weight = TenantWeight.objects.filter(tenant=job.tenant_id).first()
    head_start = timedelta(minutes=weight.minutes if weight is not None else 0)
    for item in items:
        item.rank = item.due_at - head_start
    ReviewItem.objects.bulk_create(items, ignore_conflicts=True)


def _close(items: "QuerySet[ReviewItem]", by: User | None) -> None:
    now: datetime = timezone.now()
    items.filter(closed_at=None).update(
        closed_at=now, closed_by=by, holder=None, held_until=None, settles_at=None
    )
