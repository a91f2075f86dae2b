"""How much a tenant and a key may ask for, and how much may wait in all.

Counted on the jobs themselves, so that no counter can differ from them.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import APIKey
from config.identifiers import uuid7_first
from config.rows import rows_read
from jobs.models import IN_FLIGHT_VALUES, Job

HIGHEST_PRIORITY: Final = 9
LOOK_SECONDS: Final = 1.0
"""How old the depth of the queue may be: that bound need not be exact, and counting costs."""

# In the text, not as a parameter: only so does the planner know the partial index.
_STATUSES = ", ".join(f"'{status}'" for status in IN_FLIGHT_VALUES)

_IN_FLIGHT = f"""
SELECT (SELECT count(*) FROM (
            SELECT FROM jobs_job WHERE tenant_id = %(tenant)s AND status IN ({_STATUSES})
            LIMIT %(of_tenant)s) AS tenants),
       (SELECT count(*) FROM (
            SELECT FROM jobs_job WHERE api_key_id = %(key)s AND status IN ({_STATUSES})
            LIMIT %(of_key)s) AS keys)
"""  # noqa: S608 - our statuses

# Ids are UUIDv7: those of today are a range of the index.
_TODAY = """
SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE api_key_id = %(key)s), 0)
FROM jobs_job WHERE tenant_id = %(tenant)s AND id >= %(midnight)s
"""

_WAITING = "SELECT count(*) FROM (SELECT FROM jobs_outbox WHERE admission LIMIT %s) AS waiting"


class QuotaExceeded(Exception):
    """Base of what is refused because it is too much; `retry_after` is in seconds."""

    status: ClassVar = 429
    code: ClassVar[str]
    title: ClassVar[str]
    detail: ClassVar[str]
    pointer: ClassVar[str] = ""

    def __init__(self, retry_after: int) -> None:
        super().__init__(self.title)
        self.retry_after = retry_after


class TooManyJobsInFlight(QuotaExceeded):
    """The tenant or the key has as many jobs queued or at work as it may."""

    code = "too_many_jobs_in_flight"
    title = "Too many jobs are queued or at work"
    detail = "Wait for some to end, or cancel some, then repeat this request."


class TooManyPicturesToday(QuotaExceeded):
    """The tenant or the key would have asked for more pictures today than it may."""

    code = "too_many_pictures_today"
    title = "The pictures of this day are used up"
    detail = "Ask for fewer (`n`), or wait until midnight UTC."
    pointer = "/n"


class QueueFull(QuotaExceeded):
    """So many jobs wait, of all tenants, that no more are taken."""

    status = 503
    code = "queue_full"
    title = "The queue is full"
    detail = "This is not about your quota. Repeat the request after `Retry-After`."


class PriorityNotAllowed(Exception):
    """The job asks for a higher priority than its key may; `highest` is what it may."""

    def __init__(self, highest: int) -> None:
        super().__init__(f"the highest priority is {highest}")
        self.highest = highest


def priority_limit(api_key: APIKey) -> int:
    """The highest priority that jobs of the key may have."""
    limits = (api_key.priority_limit, api_key.tenant.priority_limit)
    return min((limit for limit in limits if limit is not None), default=HIGHEST_PRIORITY)


def quota_check(*, job: Job, api_key: APIKey) -> None:
    """Raise `QuotaExceeded` where the job, which is written already, was one too many.

    The last thing in the transaction that writes it: until its end the tenant is locked, so that
    of jobs submitted at once no more are taken than the quota lets.
    """
    tenant, environment = api_key.tenant, settings.ENVIRONMENT
    jobs = (tenant.jobs_in_flight or environment.quota_jobs_in_flight, api_key.jobs_in_flight or 0)
    pictures = (
        tenant.pictures_per_day or environment.quota_pictures_per_day,
        api_key.pictures_per_day or 0,
    )
    own = {"tenant": tenant.id, "key": api_key.id}
    if any(jobs) or any(pictures):
        _lock(tenant.id)
    if any(jobs):
        # One more than the bound is enough to know; none where there is no bound.
        of_tenant, of_key = (bound + 1 if bound else 0 for bound in jobs)
        if _over(jobs, _IN_FLIGHT, {**own, "of_tenant": of_tenant, "of_key": of_key}):
            raise TooManyJobsInFlight(retry_after=5)
    if any(pictures):
        now = timezone.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if _over(pictures, _TODAY, {**own, "midnight": uuid7_first(midnight)}):
            left = midnight + timedelta(days=1) - now
            raise TooManyPicturesToday(retry_after=int(left.total_seconds()) + 1)


class Queue:
    """The jobs that wait for admission, as one process last saw them."""

    def __init__(self) -> None:
        self._depth, self._looked_at = 0, float("-inf")

    def check(self) -> None:
        """Raise `QueueFull` where `QUEUE_LIMIT` jobs wait."""
        limit = settings.ENVIRONMENT.queue_limit
        if not limit:
            return
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            (self._depth,) = rows_read(int, _WAITING, [limit])
            self._looked_at = time.monotonic()
        if self._depth >= limit:
            raise QueueFull(retry_after=10)


QUEUE = Queue()


def _over(bounds: Sequence[int], sql: str, parameters: dict[str, Any]) -> bool:
    (counts,) = rows_read(lambda *counts: counts, sql, parameters)
    return any(bound and count > bound for bound, count in zip(bounds, counts, strict=True))


def _lock(tenant_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"quota {tenant_id}"]
        )
