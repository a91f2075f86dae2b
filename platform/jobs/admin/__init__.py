"""The admin of jobs: the job as a story, its pictures, and the machinery for operators."""

from jobs.admin.job import JobAdmin
from jobs.admin.machinery import OutboxAdmin, StageRunAdmin, UsageRecordAdmin, WorkerAdmin
from jobs.admin.picture import PictureAdmin

__all__ = [
    "JobAdmin",
    "OutboxAdmin",
    "PictureAdmin",
    "StageRunAdmin",
    "UsageRecordAdmin",
    "WorkerAdmin",
]
