"""What happened to jobs since somebody last looked, for those who follow them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from config.rows import rows_read
from jobs.models import Job
from jobs.representation import DecisionOut, job_event_data
from jobs.states import TERMINAL, JobStatus
from moderation.models import Decision

JOB_CHANNEL: Final = "job"
"""PostgreSQL NOTIFY channel of the triggers on jobs and decisions; its messages are job ids."""

STATUS_ONLY: Final = 2**15
"""As the number of the last event seen: none is wanted."""

_EVENTS = """
SELECT event.job_id, event.sequence, event.status, event.reason, event.decision_id,
       event.created_at
FROM unnest(%(jobs)s::uuid[], %(after)s::int[]) AS followed(id, after)
JOIN jobs_jobevent event ON event.job_id = followed.id AND event.sequence > followed.after
ORDER BY event.job_id, event.sequence
"""


@dataclass(frozen=True, slots=True)
class _Event:
    """A row of the log."""

    job_id: UUID
    sequence: int
    status: str
    reason: str
    decision_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as it is told: its number in the job, its type, and its data as JSON has it."""

    sequence: int
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Followed:
    """A job's status, and what happened after the event that was asked for."""

    status: JobStatus
    happenings: list[Happening] = field(default_factory=list)


def jobs_look(after: Mapping[UUID, int]) -> dict[UUID, Followed]:
    """What happened to each job after the event of that number; -1 for all of it.

    Jobs that are not there are missing from the answer.
    """
    jobs = Job.objects.in_bulk(list(after))
    # The log after the jobs: of a job that had ended, it has the end.
    log = _log(after)
    jobs |= Job.objects.in_bulk([job_id for job_id, events in log.items() if _ends(events)])
    decisions = Decision.objects.select_related("picture", "policy_version__policy").in_bulk(
        [event.decision_id for events in log.values() for event in events if event.decision_id]
    )
    found = {}
    for job_id, job in jobs.items():
        events = log.get(job_id, [])
        happenings = [_happening(job, event, decisions) for event in events]
        if after[job_id] < 0:
            happenings.insert(0, Happening(0, "status", _status(JobStatus.QUEUED, "", job)))
        found[job_id] = Followed(JobStatus(job.status), happenings)
    return found


def _log(after: Mapping[UUID, int]) -> dict[UUID, list[_Event]]:
    wanted = {job_id: number for job_id, number in after.items() if number < STATUS_ONLY}
    if not wanted:
        return {}
    events = rows_read(_Event, _EVENTS, {"jobs": list(wanted), "after": list(wanted.values())})
    return {job_id: list(group) for job_id, group in groupby(events, attrgetter("job_id"))}


def _ends(events: list[_Event]) -> bool:
    return events[-1].status in TERMINAL


def _happening(job: Job, event: _Event, decisions: Mapping[UUID, Decision]) -> Happening:
    if event.decision_id:
        shown = DecisionOut.from_orm(decisions[event.decision_id]).model_dump(mode="json")
        return Happening(event.sequence, "decision", shown)
    if event.status in TERMINAL:
        return Happening(event.sequence, "end", job_event_data(job, list(job.pictures.all())))
    return Happening(event.sequence, "status", _status(event.status, event.reason, event))


def _status(status: str, reason: str, when: Job | _Event) -> dict[str, Any]:
    return {"status": str(status), "reason": reason, "at": when.created_at.isoformat()}
