"""What waits for a person: the same conditions under which `moderation.review` lets decide."""

from django.db.models import Exists, OuterRef, QuerySet

from jobs.models import Job, Picture
from jobs.states import JobStatus, PictureStatus
from moderation.models import Appeal, Report


def pictures_waiting() -> QuerySet[Picture]:
    """Pictures in review that nobody has decided, oldest first."""
    return Picture.objects.filter(
        status=PictureStatus.IN_REVIEW,
        cleared_by=None,
        current__isnull=False,
        job__status=JobStatus.NEEDS_REVIEW,
    ).order_by("job_id", "index")


def appeals_waiting() -> QuerySet[Appeal]:
    """Appeals that nobody has answered, oldest first."""
    return Appeal.objects.filter(answer=None)


def reports_waiting() -> QuerySet[Report]:
    """Reports of pictures that are out, not answered yet, oldest first."""
    return Report.objects.filter(answer=None)


def prompts_waiting() -> QuerySet[Job]:
    """Jobs that are held before anything was painted, oldest first."""
    painted = Picture.objects.filter(job=OuterRef("pk"), current__isnull=False)
    return Job.objects.filter(~Exists(painted), status=JobStatus.NEEDS_REVIEW).order_by("id")
