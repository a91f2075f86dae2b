"""`/metrics` for Prometheus: what waits and how long, what came out, read from the rows themselves.

PostgreSQL is the truth, so every process answers the same, and nothing is counted in memory.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from config.addresses import address_within, client_address
from config.identifiers import uuid7_first
from config.rows import rows_read

Row = tuple[Any, ...]

# Each reads one partial index of what is open, which is short; `age` is in seconds, of the oldest.
_STAGES = """
SELECT stage, state, count(*),
       extract(epoch FROM greatest(clock_timestamp() - min(
           CASE state WHEN 'running' THEN started_at ELSE ready_at END), '0 s'))
FROM jobs_stagerun WHERE state IN ('ready', 'running') GROUP BY 1, 2
"""
_ADMISSION = """
SELECT count(*), extract(epoch FROM clock_timestamp() - min(available_at))
FROM jobs_outbox WHERE admission
"""
# Ids are UUIDv7: those of the last hour are the end of the index.
_JOBS = "SELECT status, count(*) FROM jobs_job WHERE id >= %(since)s GROUP BY 1"
_PICTURES = """
SELECT picture.status, count(*)
FROM jobs_job job JOIN jobs_picture picture ON picture.job_id = job.id
WHERE job.id >= %(since)s GROUP BY 1
"""
_DELIVERIES = """
SELECT count(*),
       extract(epoch FROM greatest(clock_timestamp() - min(next_attempt_at), interval '0'))
FROM webhooks_delivery WHERE status = 'pending'
"""
_ENDPOINTS = "SELECT count(*) FROM webhooks_endpoint WHERE is_active AND failing_since IS NOT NULL"
_REVIEW = """
SELECT category, count(*), extract(epoch FROM clock_timestamp() - min(entered_at)),
       count(*) FILTER (WHERE due_at < clock_timestamp())
FROM desk_reviewitem WHERE closed_at IS NULL GROUP BY 1
"""
_WORKERS = """
SELECT queue, count(*) FROM jobs_worker, unnest(queues) AS queue
WHERE ready AND seen_at >= %(heard)s GROUP BY 1
"""
RECENT: Final = timedelta(hours=1)


class PlatformCollector(Collector):
    """The families of this page, each read when it is asked."""

    def collect(self) -> Iterator[Metric]:
        now, environment = timezone.now(), settings.ENVIRONMENT
        since = {"since": uuid7_first(now - RECENT)}
        heard = {"heard": now - timedelta(seconds=3 * environment.heartbeat_seconds + 5)}
        stages = _rows(_STAGES)
        yield _gauge(
            "stages", "Stages ready to be claimed, and running.", ("stage", "state"),
            [(*row[:2], row[2]) for row in stages],
        )  # fmt: skip
        yield _gauge(
            "stage_oldest_seconds", "Age of the oldest of them.", ("stage", "state"),
            [(*row[:2], row[3]) for row in stages],
        )  # fmt: skip
        ((waiting, oldest),) = _rows(_ADMISSION)
        yield _gauge("jobs_waiting", "Jobs that wait for admission.", (), [(waiting,)])
        yield _gauge("jobs_waiting_oldest_seconds", "Age of the oldest.", (), [(oldest,)])
        yield _gauge(
            "jobs_last_hour", "Jobs submitted within an hour, by what they are now.", ("status",),
            _rows(_JOBS, since),
        )  # fmt: skip
        yield _gauge(
            "pictures_last_hour", "Their pictures, likewise.", ("status",), _rows(_PICTURES, since)
        )
        ((pending, late),) = _rows(_DELIVERIES)
        yield _gauge("deliveries_pending", "Webhook deliveries not made yet.", (), [(pending,)])
        yield _gauge(
            "deliveries_overdue_seconds", "How long the next attempt of one is overdue.", (),
            [(late,)],
        )  # fmt: skip
        yield _gauge(
            "endpoints_failing", "Active endpoints whose last attempt failed.", (),
            _rows(_ENDPOINTS),
        )  # fmt: skip
        review = _rows(_REVIEW)
        for name, about, column in (
            ("review_items", "What waits for a person, by queue.", 1),
            ("review_oldest_seconds", "Age of the oldest of it.", 2),
            ("review_overdue", "How much of it is past its time.", 3),
        ):
            yield _gauge(name, about, ("queue",), [(row[0], row[column]) for row in review])
        served: dict[str, int] = dict(_rows(_WORKERS, heard))
        yield _gauge(
            "workers_ready", "Workers that are heard and ready, by queue.", ("queue",),
            [(queue, served.get(queue, 0)) for queue in settings.QUEUES],
        )  # fmt: skip


_REGISTRY: Final = CollectorRegistry(auto_describe=False)
_REGISTRY.register(PlatformCollector())


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The page, for whoever has `METRICS_TOKEN` as bearer or asks from `METRICS_NETWORKS`; for all
    others, and where neither is set, there is no such page."""
    if not _may_see(request):
        raise Http404
    return HttpResponse(generate_latest(_REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _may_see(request: HttpRequest) -> bool:
    environment = settings.ENVIRONMENT
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if environment.metrics_token and scheme.lower() == "bearer":
        return constant_time_compare(token, environment.metrics_token)
    return address_within(client_address(request), environment.metrics_networks)


def _rows(sql: str, parameters: dict[str, Any] | None = None) -> list[Row]:
    return rows_read(lambda *row: row, sql, parameters)


def _gauge(name: str, about: str, labels: tuple[str, ...], rows: list[Row]) -> GaugeMetricFamily:
    """A family of a row each: its labels, then its value; an age of nothing is 0."""
    family = GaugeMetricFamily(f"ethical_lens_{name}", about, labels=labels)
    for *values, number in rows:
        family.add_metric(values, float(number or 0))
    return family
