"""Requests per minute, of a key and of its tenant, counted in Redis for all web processes.

Minutes are those of the clock. With Redis away nothing is counted and requests are let in: a count
is no truth, and submitting must not need the broker.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from accounts.models import APIKey
from config.passing import Passing

WINDOW: Final = 60
ANSWER_SECONDS: Final = 0.25
AWAY_SECONDS: Final = 5.0
"""How long Redis is not asked again, once it did not answer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of a quota in the minute under way; less than none where it is used up."""

    name: str
    quota: int
    left: int
    reset: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.quota};w={WINDOW}'

    @property
    def state(self) -> str:
        return f'"{self.name}";r={max(self.left, 0)};t={self.reset}'


def request_count(key: APIKey) -> tuple[Rate, ...]:
    """Count one request of the key; the rates it counts against, none where Redis is away.

    What is too much for the key does not count against its tenant: one key that runs wild costs
    the others nothing.
    """
    now = time.time()
    minute, reset = int(now // WINDOW), WINDOW - int(now % WINDOW)
    of_tenant = key.tenant.requests_per_minute or settings.ENVIRONMENT.quota_requests_per_minute
    rates: list[Rate] = []
    for name, pk, quota in (
        ("key", key.id, key.requests_per_minute),
        ("tenant", key.tenant_id, of_tenant),
    ):
        count = _COUNTER.add(f"rate:{pk}:{minute}") if quota else None
        if quota and count is not None:
            rates.append(Rate(name=name, quota=quota, left=quota - count, reset=reset))
            if count > quota:
                break
    return tuple(rates)


class RateLimitMiddleware(Passing):
    """Tells what is left on every answer to a request whose key was valid."""

    @contextmanager
    def around(self, request: HttpRequest) -> Iterator[Callable[[HttpResponse], None]]:
        def tell(response: HttpResponse) -> None:
            rates: tuple[Rate, ...] = getattr(request, "rates", ())
            if rates:
                response["RateLimit-Policy"] = ", ".join(rate.policy for rate in rates)
                response["RateLimit"] = ", ".join(rate.state for rate in rates)

        yield tell


class _Counter:
    """Counters in Redis that are forgotten when their minute is over."""

    def __init__(self) -> None:
        self._away_until = 0.0

    def add(self, name: str) -> int | None:
        """Add one; what it is now. None where Redis is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            with _redis(settings.ENVIRONMENT.redis_url).pipeline(transaction=False) as pipeline:
                pipeline.incr(name)
                pipeline.expire(name, 2 * WINDOW)
                return int(pipeline.execute()[0])
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("requests are not counted, Redis is away: %s", error)
            return None


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


_COUNTER = _Counter()
