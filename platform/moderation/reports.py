"""A platform reports a picture that is out: a review opens, the picture stays until its answer."""

from uuid import UUID

from django.db import transaction

from desk.entering import report_enter
from jobs.models import Job
from jobs.states import PictureStatus
from moderation.models import Report, ReportReason


class NotReleased(Exception):
    """Only what is out can be reported; nothing was changed."""


def report_open(
    *, picture_id: UUID, reason: ReportReason, text: str = "", reporter: str = ""
) -> tuple[Report, bool]:
    """The open report of that picture, reason and reporter, and whether it is a new one.

    Raises `NotReleased`.
    """
    with transaction.atomic():
        # Under the lock of its job, as whatever else becomes of a picture.
        job = Job.objects.select_for_update(of=("self",)).get(pictures=picture_id)
        picture = job.pictures.select_related("current").get(pk=picture_id)
        out = picture.status == PictureStatus.RELEASED and job.erased_at is None
        if not out or picture.current is None:
            raise NotReleased(f"picture {picture.index} of job {job.id} is not released")
        report, new = Report.objects.get_or_create(
            picture=picture,
            reason=reason.value,
            reporter=reporter,
            answer=None,
            defaults={
                "tenant_id": job.tenant_id,
                "text": text,
                "object_digest": picture.current.sha256,
            },
        )
        if new:
            report_enter(job, picture, report)
        return report, new
