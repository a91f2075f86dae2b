"""What people decide after the end of a job is told by webhook, in the same transaction."""

from typing import Any

from jobs.models import Job, Picture
from jobs.representation import job_event_data
from moderation.models import Appeal, Decision
from webhooks.models import EventType
from webhooks.services import event_record


def appeal_tell(job: Job, appeal: Appeal, picture: Picture | None) -> None:
    """Tell the platform how its appeal was answered. `job` is locked."""
    assert appeal.answer is not None, "it was answered"
    _tell(
        job,
        EventType(f"appeal.{appeal.state.value}"),
        appeal={
            "id": str(appeal.id),
            "decision": str(appeal.decision_id),
            "picture": picture.index if picture else None,
            "state": appeal.state.value,
            "explanation": appeal.answer.explanation,
        },
    )


def withdrawal_tell(job: Job, picture: Picture, decision: Decision) -> None:
    """Tell the platform that a picture it may show is withdrawn. `job` is locked."""
    _tell(
        job,
        EventType.PICTURE_WITHDRAWN,
        picture={
            "id": str(picture.id),
            "index": picture.index,
            "explanation": decision.explanation,
        },
    )


def _tell(job: Job, type: EventType, **more: dict[str, Any]) -> None:
    job.events_told += 1
    job.save(update_fields=["events_told"])
    event_record(
        tenant_id=job.tenant_id,
        job_id=job.id,
        type=type,
        sequence=job.events_told,
        data=job_event_data(job, list(job.pictures.order_by("index"))) | more,
    )
