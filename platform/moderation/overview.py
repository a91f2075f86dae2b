"""What the first page shows of the last days, read by ranges of keys and kept for a minute.

Ids are UUIDv7: what was made since a moment is a range of the primary key, so that no statement
here reads a table whole. All times are UTC.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Min, Q
from django.utils import timezone

from config.identifiers import uuid7_first
from config.rows import rows_read
from desk.models import ReviewItem
from ethical_lens.results import Concept, Label
from jobs.models import Outbox
from jobs.states import JobStatus
from moderation.fairness import Tally, tallies_read
from moderation.queue import reports_waiting
from webhooks.models import DeliveryStatus, Endpoint

PERIODS: Final = (7, 14, 30, 90)
KEPT_SECONDS: Final = 60.0
MOST_PEOPLE: Final = 20

_JOBS = """
WITH job AS MATERIALIZED (
    SELECT id, (created_at AT TIME ZONE 'UTC')::date AS day, status,
           text_verdict -> 'labels' AS labels
    FROM jobs_job WHERE id >= %(since)s
)
SELECT 'jobs', day, status, count(*) FROM job GROUP BY 2, 3
UNION ALL SELECT 'labels', day, name, count(*)
    FROM job, jsonb_array_elements_text(labels) AS name GROUP BY 2, 3
UNION ALL SELECT 'pictures', day, 'painted', sum(pictures_painted)
    FROM job JOIN jobs_usagerecord usage ON usage.job_id = job.id GROUP BY 2
UNION ALL SELECT 'pictures', day, 'released', sum(pictures_released)
    FROM job JOIN jobs_usagerecord usage ON usage.job_id = job.id GROUP BY 2
"""
_HEADS = """
SELECT 'heads', (created_at AT TIME ZONE 'UTC')::date, concept, count(DISTINCT picture_id)
FROM moderation_decision, unnest(findings) AS concept
WHERE id >= %(since)s AND stage = 'scrutinise' GROUP BY 2, 3
"""
# A delivery has no time of its own but the one in its id (RFC 9562, 5.7: its first 48 bits).
_DELIVERIES = """
SELECT 'deliveries', (to_timestamp(
           ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0
       ) AT TIME ZONE 'UTC')::date, status, count(*)
FROM webhooks_delivery WHERE id >= %(since)s GROUP BY 2, 3
"""
_REVIEWERS = """
SELECT person.username, count(*), count(*) FILTER (WHERE action IN ('release', 'allow')),
       count(*) FILTER (WHERE action = 'block'), max(decision.created_at),
       (SELECT count(*) FROM desk_reviewitem item WHERE item.holder_id = person.id
        AND item.closed_at IS NULL AND item.held_until > now())
FROM moderation_decision decision JOIN accounts_user person ON person.id = decision.actor_id
WHERE decision.id >= %(since)s GROUP BY person.id ORDER BY 2 DESC, 1 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: a number per day."""

    name: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Trend:
    """Series over the same days, as a chart and as a table."""

    title: str
    note: str
    days: Sequence[date]
    series: Sequence[Series]

    @property
    def rows(self) -> list[tuple[date, list[int]]]:
        """Newest first."""
        lines = [(day, [s.values[i] for s in self.series]) for i, day in enumerate(self.days)]
        return lines[::-1]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for what, since when the oldest, and how many for longer than they should."""

    title: str
    number: int
    since: datetime | None
    late: int = 0


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What one person decided, and how many items they hold now."""

    name: str
    decisions: int
    passed: int
    blocked: int
    last: datetime
    holds: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it, as it was at `read_at`."""

    days: int
    read_at: datetime
    throughput: Trend
    outcomes: Trend
    labels: Trend
    heads: Trend
    deliveries: Trend
    waiting: Sequence[Waiting]
    reviewers: Sequence[Reviewer]
    failing: Sequence[Endpoint]
    fairness: Sequence[Tally]


_kept: dict[int, tuple[float, Overview]] = {}


def overview(days: int) -> Overview:
    """The last `days` days, one of `PERIODS`; at most a minute old, per process."""
    now = time.monotonic()
    if (kept := _kept.get(days)) is None or now - kept[0] > KEPT_SECONDS:
        kept = _kept[days] = (now, overview_read(days))
    return kept[1]


def overview_read(days: int) -> Overview:
    """The same, read now."""
    now = timezone.now()
    today = now.astimezone(UTC).date()
    dates = [today - timedelta(days=days - 1 - i) for i in range(days)]
    midnight = datetime(dates[0].year, dates[0].month, dates[0].day, tzinfo=UTC)
    since = uuid7_first(midnight)
    counts = _counts(since)

    def trend(title: str, note: str, names: Mapping[str, tuple[str, str]]) -> Trend:
        series = [
            Series(name, [counts[source, key].get(day, 0) for day in dates])
            for name, (source, key) in names.items()
        ]
        return Trend(title, note, dates, series)

    submitted = counts["jobs", "submitted"] = defaultdict(int)
    for (source, key), by_day in list(counts.items()):
        if source == "jobs" and key != "submitted":
            for day, number in by_day.items():
                submitted[day] += number
    return Overview(
        days=days,
        read_at=now,
        throughput=trend(
            "Throughput", "by the day of submission",
            {
                "jobs submitted": ("jobs", "submitted"),
                "pictures painted": ("pictures", "painted"),
                "pictures released": ("pictures", "released"),
            },
        ),
        outcomes=trend(
            "Outcomes", "jobs, by the day of submission",
            {
                status.replace("_", " "): ("jobs", status)
                for status in (
                    JobStatus.SUCCEEDED, JobStatus.NEEDS_REVIEW, JobStatus.BLOCKED,
                    JobStatus.FAILED, JobStatus.CANCELED,
                )
            },
        ),
        labels=trend("Labels", "of prompts", {label.value: ("labels", label) for label in Label}),
        heads=trend(
            "Heads that fired", "pictures, each once per head and day",
            {concept.value: ("heads", concept) for concept in Concept},
        ),
        deliveries=trend(
            "Webhooks", "deliveries, by the day they were made",
            {status.value: ("deliveries", status) for status in DeliveryStatus},
        ),
        waiting=_waiting(now),
        reviewers=rows_read(Reviewer, _REVIEWERS, {"since": since, "most": MOST_PEOPLE}),
        failing=list(
            Endpoint.objects.filter(Q(failing_since__isnull=False) | ~Q(disabled_reason=""))
            .select_related("tenant")
            .order_by("failing_since")[:MOST_PEOPLE]
        ),
        fairness=tallies_read(since),
    )  # fmt: skip


def _counts(since: UUID) -> dict[tuple[str, str], dict[date, int]]:
    """Number by day, by what is counted and its name."""
    counts: dict[tuple[str, str], dict[date, int]] = defaultdict(dict)

    def keep(source: str, day: date, name: str, number: int) -> None:
        counts[source, name][day] = int(number)

    for sql in (_JOBS, _HEADS, _DELIVERIES):
        rows_read(keep, sql, {"since": since})
    return counts


def _waiting(now: datetime) -> list[Waiting]:
    turn = Outbox.objects.filter(admission=True).aggregate(
        number=Count("pk"), since=Min("job__created_at")
    )
    queues = (
        ReviewItem.objects.filter(closed_at=None)
        .order_by("category")
        .values_list("category")
        .annotate(
            number=Count("pk"), since=Min("entered_at"), late=Count("pk", filter=Q(due_at__lt=now))
        )
    )
    reports = reports_waiting().order_by().aggregate(number=Count("pk"), since=Min("created_at"))
    return [
        Waiting("jobs, for their turn", turn["number"], turn["since"]),
        *(Waiting(f"review of {name}", *counted) for name, *counted in queues),
        Waiting("reports, for an answer", reports["number"], reports["since"]),
    ]
